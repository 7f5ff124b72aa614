// The build splits a program in parts: what a first visit needs, what its visitor does next, and the rest.

/** What the page shows next comes first, such as the editor: milliseconds to wait before each part. */
const WAITS_MS = [100, 500];

/** Lets the program that is loaded next bring its other parts from URLs, through the global function `loadParts`. */
export function prepareParts(...urls) {
  let first;
  let nJoined = 0;

  // The program may want a part as soon as it starts, which is before its loader has returned.
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...args) => {
      const made = await original(...args);
      first ??= (made.instance ?? made).exports;
      return made;
    };
  }

  /** Puts a part, a compiled module, beside those before it, in their order. */
  function join(index, module) {
    if (index !== nJoined) return;
    new WebAssembly.Instance(module, { first });
    nJoined += 1;
  }

  function fetchNow(url) {
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    // Only workers may ask for bytes and wait; a text of this kind holds a byte in each character.
    request.overrideMimeType("text/plain; charset=x-user-defined");
    request.send();
    if (request.status !== 200) throw new Error(`a part of the program cannot be loaded: ${request.status}`);
    return new WebAssembly.Module(Uint8Array.from(request.responseText, (it) => it.charCodeAt(0) & 0xff));
  }

  async function loadLater() {
    for (const [index, url] of urls.entries()) {
      await new Promise((resolve) => setTimeout(resolve, WAITS_MS[index]));
      if (index >= nJoined) join(index, await WebAssembly.compileStreaming(fetch(url)));
    }
  }

  /** So many parts now, since the program has come to where it needs the last of them; or all in the background. */
  globalThis.loadParts = (nNeeded) => {
    while (nJoined < nNeeded) join(nJoined, fetchNow(urls[nJoined]));
    // If that fails, the program asks again.
    if (nNeeded === 0) loadLater().catch(() => {});
  };
}
