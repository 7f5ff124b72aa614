// Runs the app and the engine as a visitor does who applies the first manifest, and writes down what their counters
// hold: which parts of the programs ran. `cargo xtask build` splits them by that.
//
// The app draws into a document of happy-dom, the engine runs in a worker thread.
import { GlobalRegistrator } from "@happy-dom/global-registrator";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";

const [stage, manifest] = process.argv.slice(2);
const text = await readFile(manifest, "utf8");
/** Ready pods of the first manifest on the machines that the page begins with. */
const PODS = 3;
const WAIT_MS_MAX = 60_000;
/** As in a browser, the app draws before it has what was saved, and the nodes come before the editor. */
const LOAD_MS = 50;
const EDITOR_MS = 1_000;

GlobalRegistrator.register({ url: "http://localhost/", width: 1440, height: 900 });
globalThis.Window = class {
  static [Symbol.hasInstance](it) {
    return it === globalThis;
  }
};

/** A worker as browsers have them. */
class Engine {
  constructor() {
    this.thread = new Worker(new URL("./engine.mjs", import.meta.url), { workerData: { stage } });
    this.thread.on("message", (data) => this.onmessage?.({ data }));
    this.thread.on("error", fail);
  }

  postMessage(message, transferred) {
    this.thread.postMessage(message, transferred);
  }

  terminate() {
    this.thread.terminate();
  }
}

function fail(error) {
  console.error(error);
  process.exit(1);
}

const nothing = () => {};
const later = async () => {};
const after = (ms, it) => new Promise((resolve) => setTimeout(resolve, ms, it));
const editor = {
  text: () => text,
  setText: nothing,
  setProblems: nothing,
  setMarks: nothing,
  setReadOnly: nothing,
  goTo: nothing,
  focus: nothing,
};
let engine;
globalThis.drydock = {
  engine: () => (engine = new Engine()),
  editor: () => after(EDITOR_MS, editor),
  load: () => after(LOAD_MS, [undefined, undefined, undefined]),
  save: later,
  pack: later,
  unpack: later,
  copy: later,
  pickFile: later,
  download: nothing,
  beforeMove: nothing,
  afterMove: nothing,
  onRequest: nothing,
};
globalThis.loadRest = nothing;

async function until(holds, what) {
  for (const end = Date.now() + WAIT_MS_MAX; !holds(); ) {
    if (Date.now() > end) throw new Error(`${what} never came`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

const counters = JSON.parse(await readFile(join(stage, "counters.json"), "utf8"));

async function keep(program, memory) {
  const { at, n } = counters[program];
  await writeFile(join(stage, `${program}.hits`), new Uint8Array(memory, at, n));
}

const { default: init } = await import(pathToFileURL(join(stage, "app.js")));
const wasm = await init({ module_or_path: await readFile(join(stage, "app_bg.wasm")) });
const ready = (what) => document.querySelectorAll(`[data-testid='${what}'][data-ready='true']`).length;
await until(() => document.documentElement.dataset.ready === "true", "the first nodes");
await after(EDITOR_MS);
document.querySelector("[data-testid='apply']").click();
await until(() => ready("pod") >= PODS, "the first pods");
await keep("app", wasm.memory.buffer);
const told = new Promise((resolve) => engine.thread.on("message", (it) => it.memory && resolve(it.memory)));
engine.thread.postMessage("memory");
await keep("worker", await told);
process.exit(0);
