// The engine in a worker thread of Node, with what a worker of a browser has and Node lacks.
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";

globalThis.DedicatedWorkerGlobalScope = class {
  static [Symbol.hasInstance](it) {
    return it === globalThis;
  }
};
globalThis.addEventListener = (type, listener) => {
  if (type !== "message") return;
  parentPort.on("message", (data) => (data === "memory" ? tellMemory() : listener({ data })));
};
globalThis.postMessage = (message, transferred) => parentPort.postMessage(message, transferred);
globalThis.loadRest = () => {};

const { default: init } = await import(pathToFileURL(join(workerData.stage, "worker.js")));
const wasm = await init({ module_or_path: await readFile(join(workerData.stage, "worker_bg.wasm")) });

/** A copy of the memory, in which the counters are. */
function tellMemory() {
  parentPort.postMessage({ memory: wasm.memory.buffer.slice(0) });
}
