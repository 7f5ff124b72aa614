// The rest of a program that a longer rehearsal has split: a shorter one may come to it by chance.
import { readFileSync } from "node:fs";
import { join } from "node:path";

export function joinRest(stage, name, first) {
  new WebAssembly.Instance(new WebAssembly.Module(readFileSync(join(stage, `${name}_rest.wasm`))), { first });
}
