// Starts the engine in a worker. Messages that come before it listens are kept and given to it then.
import { prepareRest } from "./rest.js";
import init from "./worker.js";

const early = [];
const keep = (event) => early.push(event);
addEventListener("message", keep);
prepareRest(new URL("./worker_rest.wasm", import.meta.url));
await init();
removeEventListener("message", keep);
for (const { data, ports } of early) {
  dispatchEvent(new MessageEvent("message", { data, ports: [...ports] }));
}
