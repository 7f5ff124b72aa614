// Starts an engine for `drydock.js` in a worker: nobody waits for a first picture, so both of its parts come at once.
import init from "./worker.js";

/** A module; not every host says that it is one. */
async function compile(url) {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} cannot be loaded: ${response.status}`);
  return WebAssembly.compile(await response.arrayBuffer());
}

// Nothing asks for the rest before it is there.
globalThis.loadRest = () => {};
try {
  const [first, rest] = await Promise.all([init(), compile(new URL("./worker_rest.wasm", import.meta.url))]);
  new WebAssembly.Instance(rest, { first });
  postMessage({ error: "" });
} catch (error) {
  postMessage({ error: error.message });
}
