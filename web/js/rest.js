// The build splits a program in two: what a first visit needs, and the rest, which comes when it is wanted.

/** What the page shows next comes first, such as the editor. */
const LATER_MS = 500;

/** Lets the program that is loaded next bring its rest from a URL, through the global function `loadRest`. */
export function prepareRest(url) {
  let first;
  let isJoined = false;

  // The program may want its rest as soon as it starts, which is before its loader has returned.
  for (const name of ["instantiate", "instantiateStreaming"]) {
    const original = WebAssembly[name];
    WebAssembly[name] = async (...args) => {
      const made = await original(...args);
      first ??= (made.instance ?? made).exports;
      return made;
    };
  }

  /** Puts the rest, a compiled module, beside the first part. */
  function join(rest) {
    if (!isJoined) new WebAssembly.Instance(rest, { first });
    isJoined = true;
  }

  /** In the background, or at once when the program has come to where it needs it. */
  globalThis.loadRest = (isNeededNow) => {
    if (!isNeededNow) {
      // If it fails, the program asks again.
      setTimeout(() => isJoined || WebAssembly.compileStreaming(fetch(url)).then(join, () => {}), LATER_MS);
      return;
    }
    const request = new XMLHttpRequest();
    request.open("GET", url, false);
    // Only workers may ask for bytes and wait; a text of this kind holds a byte in each character.
    request.overrideMimeType("text/plain; charset=x-user-defined");
    request.send();
    if (request.status !== 200) throw new Error(`a part of the program cannot be loaded: ${request.status}`);
    join(new WebAssembly.Module(Uint8Array.from(request.responseText, (it) => it.charCodeAt(0) & 0xff)));
  };
}
