// Starts the engine in a worker. Messages that come before it listens are kept and given to it then.
import init from "./worker.js";

const early = [];
const keep = (event) => early.push(event);
addEventListener("message", keep);

let first;
let isJoined = false;

/** Puts the rest of the engine, a compiled module, beside its first part. */
function join(rest) {
  if (!isJoined) new WebAssembly.Instance(rest, { first });
  isJoined = true;
}

/** Brings the rest of the engine: in the background, or at once when the engine has come to where it needs it. */
globalThis.loadRest = (isNeededNow) => {
  const url = new URL("./worker_rest.wasm", import.meta.url);
  if (!isNeededNow) {
    // If it fails, the engine asks again.
    WebAssembly.compileStreaming(fetch(url)).then(join, () => {});
    return;
  }
  const request = new XMLHttpRequest();
  request.open("GET", url, false);
  request.responseType = "arraybuffer";
  request.send();
  if (request.status !== 200) throw new Error(`the rest of the engine cannot be loaded: ${request.status}`);
  join(new WebAssembly.Module(request.response));
};

first = await init();
removeEventListener("message", keep);
for (const { data, ports } of early) {
  dispatchEvent(new MessageEvent("message", { data, ports: [...ports] }));
}
