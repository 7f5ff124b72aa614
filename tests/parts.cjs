// Loaded before a program that is split: brings the other parts, the files $PARTS, when the program asks.
const { readFileSync } = require("node:fs");
const { delimiter } = require("node:path");

const { Instance, Module } = WebAssembly;
const parts = (process.env.PARTS ?? "").split(delimiter);
let first;
let nJoined = 0;

WebAssembly.Instance = function (module, imports) {
  const made = new Instance(module, imports);
  first ??= made.exports;
  return made;
};

globalThis.loadParts = (nNeeded) => {
  for (; nJoined < nNeeded; nJoined++) new Instance(new Module(readFileSync(parts[nJoined])), { first });
};
