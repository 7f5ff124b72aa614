// Prints the sizes of what a first visit fetches: name, value, unit, target, with tabs between.
import { brotliCompressSync } from "node:zlib";
import { launchBrowser } from "./browser.mjs";
import { serveSite } from "./site.mjs";

const site = await serveSite(process.env.DRYDOCK_DIST);
const browser = await launchBrowser();

function brotliKb(bytes) {
  return brotliCompressSync(bytes).length / 1000;
}

function line(name, value, unit, target) {
  console.log([name, value.toFixed(1), unit, target].join("\t"));
}

try {
  const profile = await browser.newContext();
  const page = await profile.newPage();
  const fetched = [];
  profile.on("response", (response) => fetched.push(response));
  await page.goto(site.url);
  await page.waitForSelector("html[data-ready='true']", { state: "attached", timeout: 60_000 });
  const atReady = fetched.length;
  await page.waitForLoadState("networkidle");
  const sizes = [];
  for (const response of fetched) {
    sizes.push({ url: response.url(), kb: brotliKb(await response.body()) });
  }
  const total = (some) => some.reduce((sum, { kb }) => sum + kb, 0);
  const of = (pattern) => total(sizes.filter(({ url }) => pattern.test(url)));
  line("page.first_load", total(sizes.slice(0, atReady)), "KB brotli", 400);
  line("page.engine_wasm", of(/\/worker_bg-[0-9a-f]+\.wasm$/), "KB brotli", 300);
  for (const { url, kb } of sizes) {
    console.error(`${kb.toFixed(1).padStart(8)} KB ${url}`);
  }
  console.error(`${total(sizes).toFixed(1).padStart(8)} KB in all, ${sizes.length - atReady} files after it was usable`);
} finally {
  await browser.close();
  site.close();
}
