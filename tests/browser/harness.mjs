// What browser tests share: one site, one browser, and a page that is watched for whatever a user must not meet.
import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before } from "node:test";
import { launchBrowser, require } from "./browser.mjs";
import { serveSite } from "./site.mjs";

const DIST = process.env.DRYDOCK_DIST ?? new URL("../../dist", import.meta.url).pathname;
const SCREENSHOTS = process.env.DRYDOCK_SCREENSHOTS ?? new URL("../../target/screenshots", import.meta.url).pathname;
/** How long a page may take to become usable on a busy machine. */
const USABLE_MS_MAX = 60_000;

let site;
let browser;

before(async () => {
  await mkdir(SCREENSHOTS, { recursive: true });
  site = await serveSite(DIST);
  browser = await launchBrowser();
});

after(async () => {
  await browser?.close();
  site?.close();
});

/**
 * Opens the page in a fresh profile. When the test ends, it fails if the page logged an error, broke its policy,
 * asked for a missing file or sent a request away from its origin.
 *
 * options: { at: what follows the site's address, width, height, pages: others of its origin, as
 * { path: [type, body] }, isForeign: whether those are of another origin, and any option of a Playwright context }
 */
export async function openPage(t, options = {}) {
  const { at = "", width = 1440, height = 900, pages = {}, isForeign = false, ...context } = options;
  const profile = await browser.newContext({ viewport: { width, height }, ...context });
  const wrongs = [];
  await profile.exposeBinding("drydockTestWrong", (_source, wrong) => wrongs.push(wrong));
  await profile.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => {
      globalThis.drydockTestWrong(`policy: ${event.violatedDirective} forbids ${event.blockedURI} ${event.sample}`);
    });
  });
  const own = new URL(site.url);
  // The same machine by another name.
  const from = new URL(site.url);
  if (isForeign) from.hostname = "localhost";
  for (const [path, [type, body]] of Object.entries(pages)) {
    site.pages.set(`/${path}`, { type, body });
  }
  const page = await profile.newPage();
  page.on("console", (it) => it.type() === "error" && wrongs.push(`console: ${it.text()} ${it.location().url}`));
  page.on("pageerror", (it) => wrongs.push(`uncaught: ${it.stack ?? it}`));
  profile.on("response", (it) => it.status() >= 400 && wrongs.push(`${it.status()} for ${it.url()}`));
  profile.on("request", (it) => {
    const { protocol, origin } = new URL(it.url());
    const local = ["data:", "blob:"].includes(protocol) || [own.origin, from.origin].includes(origin);
    if (!local) wrongs.push(`left its origin: ${it.url()}`);
  });
  t.after(async () => {
    await profile.close();
    assert.deepEqual(wrongs, []);
  });
  await page.goto(from.href + at);
  return page;
}

/** The address of the site's folder. */
export function siteUrl() {
  return site.url;
}

/** Waits until the page says that it can be used. */
export async function untilUsable(page) {
  await page.waitForSelector("html[data-ready='true']", { state: "attached", timeout: USABLE_MS_MAX });
}

/** Replaces the manifest as a user does: by pasting. */
export async function paste(page, text) {
  await page.locator("[data-testid='editor'] .cm-content").click();
  await page.keyboard.press("Control+a");
  await page.evaluate((text) => {
    const data = new DataTransfer();
    data.setData("text/plain", text);
    document.activeElement.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
}

/** Keeps a picture for people to look at. */
export async function shot(page, name) {
  await page.screenshot({ path: join(SCREENSHOTS, `${name}.png`) });
}

/** Fails if axe finds something that WCAG 2.2 AA does not allow. */
export async function checkAccessible(page) {
  await page.evaluate(await readFile(require.resolve("axe-core/axe.min.js"), "utf8"));
  const found = await page.evaluate(async () => {
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await globalThis.axe.run(document, { runOnly: { type: "tag", values: tags } });
    return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map((it) => it.target).join(" ")}`);
  });
  assert.deepEqual(found, []);
}

/** Fails if the page can be scrolled sideways. */
export async function checkNoSidewaysScroll(page) {
  const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
  assert.ok(content <= window, `content is ${content} px wide in a window of ${window} px`);
}
