// Runs the browser tests, all or those whose file names contain one of the arguments, in one process: they share
// the site and the browser.
import { readdir } from "node:fs/promises";

const here = new URL(".", import.meta.url);
const wanted = process.argv.slice(2);
const files = (await readdir(here)).filter((it) => it.endsWith(".test.mjs")).sort();
for (const file of files) {
  if (wanted.length === 0 || wanted.some((it) => file.includes(it))) await import(new URL(file, here));
}
