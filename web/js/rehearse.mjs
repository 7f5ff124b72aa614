// Runs the engine as the page does with its first manifest and writes down what its counters hold: which parts of the
// program ran. `cargo xtask build` splits the engine by that.
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [stage, examples, at, n, out] = process.argv.slice(2);

/** Numbers of messages, as in `web/src/lib.rs`. */
const ASK = { boot: 0, apply: 1, select: 4, pace: 5 };
const TELL = { ready: 0, update: 1, inputs: 2, applied: 4, why: 5, hello: 12 };
/** Virtual time at the beginning: 2026-01-01, in nanoseconds. */
const START = 1_767_225_600_000_000_000n;
/** Pictures of the cluster until the first pods run, at full speed. */
const PICTURES = 12;

// What a worker has and Node lacks.
globalThis.DedicatedWorkerGlobalScope = class {
  static [Symbol.hasInstance](it) {
    return it === globalThis;
  }
};
let hear;
const waiting = [];
globalThis.addEventListener = (type, listener) => {
  if (type === "message") hear = listener;
};
globalThis.postMessage = (buffer) => {
  const number = new Uint8Array(buffer)[0];
  const found = waiting.findIndex((it) => it.number === number);
  if (found >= 0) waiting.splice(found, 1)[0].resolve();
};
globalThis.loadRest = () => {};

/** A promise of the next message of a kind. */
function told(number) {
  return new Promise((resolve) => waiting.push({ number, resolve }));
}

function number(value) {
  const bytes = [];
  let rest = BigInt(value);
  for (; rest >= 0x80n; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  return [...bytes, Number(rest)];
}

function text(value) {
  const bytes = Buffer.from(value);
  return [...number(bytes.length), ...bytes];
}

/** Sends a message and waits for one of a kind. */
async function ask(message, parts, answer) {
  const answered = told(answer);
  hear({ data: Uint8Array.from([message, ...parts.flat()]).buffer });
  await answered;
}

const manifest = (name) => readFile(join(examples, `${name}.yaml`), "utf8");

const { default: init } = await import(pathToFileURL(join(stage, "worker.js")));
const wasm = await init({ module_or_path: await readFile(join(stage, "worker_bg.wasm")) });

const session = [number(1), number(START), number(0), number(START), number(0)];
await ask(ASK.boot, [...session, text(await manifest("machines/four"))], TELL.ready);
const first = await manifest("fluentd-elasticsearch");
await ask(ASK.apply, [number(1), text(first)], TELL.applied);
const target = [number(1), text("DaemonSet"), text("kube-system"), text("fluentd-elasticsearch")];
await ask(ASK.select, [target, text(first)].flat(), TELL.why);
await ask(ASK.pace, [number(0), number(0)], TELL.update);
for (let picture = 0; picture < PICTURES; picture += 1) await told(TELL.update);

await writeFile(out, new Uint8Array(wasm.memory.buffer, Number(at), Number(n)));
// The engine would go on.
process.exit(0);
