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

/** A hundred machines and a thousand pods on them. */
const CROWD = `apiVersion: sim.drydock.dev/v1alpha1
kind: MachinePool
metadata:
  name: crowd
spec:
  replicas: 100
  namePrefix: crowd-
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: crowd
spec:
  replicas: 1000
  selector:
    matchLabels: {app: crowd}
  template:
    metadata:
      labels: {app: crowd}
    spec:
      containers:
      - name: main
        image: registry.k8s.io/pause:3.10
`;

/** Milliseconds by which tasks of the page took longer than 50 ms while a thousand pods started. */
async function blockingTime(browser) {
  const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
  await page.goto(site.url);
  await page.waitForSelector("html[data-ready='true']", { state: "attached", timeout: 60_000 });
  await page.locator("[data-testid='editor'] .cm-content").waitFor();
  await page.evaluate((text) => {
    const content = document.querySelector("[data-testid='editor'] .cm-content");
    content.focus();
    document.execCommand("selectAll");
    const data = new DataTransfer();
    data.setData("text/plain", text);
    content.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
    globalThis.blocked = 0;
    new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) globalThis.blocked += duration - 50;
    }).observe({ entryTypes: ["longtask"] });
  }, CROWD);
  await page.getByTestId("apply").click();
  await page.waitForFunction(
    () => document.querySelectorAll("[data-testid='pod'][data-ready='true']").length === 1000,
    null,
    { timeout: 180_000, polling: 500 },
  );
  const res = await page.evaluate(() => globalThis.blocked);
  await page.close();
  return res;
}

try {
  const profile = await browser.newContext();
  const page = await profile.newPage();
  const fetched = [];
  profile.on("response", (response) => fetched.push(response));
  // The instant at which the page says that it is usable, by its own clock.
  await page.addInitScript(() => {
    globalThis.usableAt = new Promise((resolve) => {
      const look = () => {
        if (document.documentElement?.dataset.ready === "true") resolve(performance.timeOrigin + performance.now());
      };
      new MutationObserver(look).observe(document, { attributes: true, childList: true, subtree: true });
    });
  });
  await page.goto(site.url);
  const usableAt = await page.evaluate(() => globalThis.usableAt);
  await page.waitForLoadState("networkidle");
  const sizes = [];
  for (const response of fetched) {
    const isBefore = response.request().timing().startTime < usableAt;
    sizes.push({ url: response.url(), kb: brotliKb(await response.body()), isBefore });
  }
  const total = (some) => some.reduce((sum, { kb }) => sum + kb, 0);
  const of = (pattern) => total(sizes.filter(({ url }) => pattern.test(url)));
  line("page.first_load", total(sizes.filter(({ isBefore }) => isBefore)), "KB brotli", 400);
  line("page.engine_wasm", of(/\/worker_bg-[0-9a-f]+\.wasm$/), "KB brotli", 300);
  line("page.blocking_time_1000_pods", await blockingTime(browser), "ms", 200);
  for (const { url, kb, isBefore } of sizes) {
    console.error(`${kb.toFixed(1).padStart(8)} KB ${isBefore ? "before" : "after "} it was usable: ${url}`);
  }
} finally {
  await browser.close();
  site.close();
}
