// Loaded before a program that is split in two: brings the rest of it, the file $REST, when the program asks.
const { readFileSync } = require("node:fs");

const { Instance, Module } = WebAssembly;
let first;

WebAssembly.Instance = function (module, imports) {
  const made = new Instance(module, imports);
  first ??= made.exports;
  return made;
};

globalThis.loadRest = (isNeededNow) => {
  if (isNeededNow) new Instance(new Module(readFileSync(process.env.REST)), { first });
};
