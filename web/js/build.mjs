// Puts the page's JavaScript into Trunk's staging folder: the editor as a bundle, the rest and the programs' glue as
// modules that refer to each other.
import { build } from "esbuild";
import { copyFile, readFile, readdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const out = process.env.TRUNK_STAGING_DIR ?? join(here, "dist");

/** The folders in node_modules of the packages that went into a bundle, sorted. */
function packagesOf(metafile) {
  const names = Object.keys(metafile.inputs).map((it) => /node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(it)?.[1]);
  return [...new Set(names.filter(Boolean))].sort();
}

/** Their licences ask for their texts to go with the code. */
async function licences(packages) {
  const parts = [];
  for (const name of packages) {
    const dir = join(here, "node_modules", name);
    const file = (await readdir(dir)).find((it) => /^licen[cs]e/i.test(it));
    if (!file) throw new Error(`${name} carries no licence`);
    parts.push(`${name}\n\n${(await readFile(join(dir, file), "utf8")).trim()}\n`);
  }
  return parts.join("\n----\n\n");
}

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["editor/editor.js", "editor/extras.js"],
  outdir: out,
  bundle: true,
  splitting: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  metafile: true,
  chunkNames: "editor-core",
});
await build({
  absWorkingDir: here,
  entryPoints: ["../css/style.css"],
  outfile: join(out, "style.css"),
  bundle: true,
  minify: true,
});
// What documentation imports is one file, with its types beside it.
await build({
  entryPoints: [join(here, "drydock/drydock.js")],
  outdir: out,
  bundle: true,
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
});
await copyFile(join(here, "drydock/drydock.d.ts"), join(out, "drydock.d.ts"));
await writeFile(join(out, "licences.txt"), await licences(packagesOf(metafile)));
const own = ["boot.js", "browser.js", "engine.js", "motion.js", "rest.js", "whole.js"].map((it) => join(here, it));
const glue = ["app.js", "worker.js"].map((it) => join(out, it));
await build({
  entryPoints: [...own, ...glue],
  outdir: out,
  // Whichever folder it comes from.
  entryNames: "[name]",
  format: "esm",
  target: "es2022",
  minify: true,
  legalComments: "none",
  allowOverwrite: true,
});
