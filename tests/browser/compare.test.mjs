// What applying the manifest would change, before it does.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { checkAccessible, checkNoSidewaysScroll, openPage, paste, shot, untilUsable } from "./harness.mjs";

const get = (page, id) => page.getByTestId(id);
const verdicts = (page) =>
  get(page, "compare-document").evaluateAll((all) => all.map((it) => `${it.dataset.kind} ${it.dataset.name} ${it.dataset.verdict}`));

const config = (name, data) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\ndata:\n  ${data}\n`;
const ready = (page, n) =>
  page.waitForFunction((n) => document.querySelectorAll("[data-testid='node'] [data-testid='pod'][data-ready='true']").length === n, n);

async function started(t, options) {
  const page = await openPage(t, options);
  await untilUsable(page);
  await page.keyboard.press("Control+Enter");
  await page.waitForFunction(() => document.querySelectorAll("[data-testid='pod'][data-ready='true']").length === 3);
  return page;
}

test("the manifest is compared with what is there, by keyboard", async (t) => {
  const page = await started(t);
  await ready(page, 3);
  await page.locator("body").press("d");
  await page.waitForFunction(() => document.querySelector("[data-testid='compare-document']"));
  assert.deepEqual(await verdicts(page), ["DaemonSet fluentd-elasticsearch same"]);
  await page.waitForFunction(() => document.activeElement?.dataset.testid === "compare");
  await page.keyboard.press("Escape");
  await get(page, "compare").waitFor({ state: "detached" });

  await paste(page, config("made", "a: one"));
  await page.keyboard.press("Control+Enter");
  await page.getByText("configmap/made created").first().waitFor();
  const all = [config("made", "a: two"), config("new", "b: three"), "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: Not_A_Name\n"];
  await get(page, "tab-watch").click();
  await paste(page, all.join("---\n"));
  await get(page, "compare-toggle").click();
  await page.waitForFunction(() => document.querySelectorAll("[data-testid='compare-document']").length === 3);
  assert.deepEqual(await verdicts(page), ["ConfigMap made differs", "ConfigMap new new", "ConfigMap Not_A_Name refused"]);
  const lines = (sign) => page.locator(`[data-name='made'] .${sign}`).allInnerTexts();
  assert.deepEqual(await lines("gone"), ["-  a: one"]);
  assert.deepEqual(await lines("come"), ["+  a: two"]);
  assert.match(await page.locator("[data-name='Not_A_Name'] p").innerText(), /a lowercase RFC 1123 subdomain/);
  await shot(page, "compare-light");
  await checkAccessible(page);
  // Looking stores nothing and is no request of the user's.
  assert.equal(await page.locator("[data-testid='watch-row'][data-name='new']").count(), 0);
  // It stays true while the cluster goes on.
  await get(page, "tab-console").click();
  await get(page, "console-input").fill("kubectl patch configmap made -p '{\"data\":{\"a\":\"two\"}}'");
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => !document.querySelector("[data-name='made'] .gone")?.innerText.includes("a: one"));
  await page.locator("[data-name='new'] .link").click();
  await get(page, "compare").waitFor({ state: "detached" });
});

test("on a phone the difference fits", async (t) => {
  const page = await started(t, { width: 390, height: 844, colorScheme: "dark" });
  await page.locator(".pane-bar").getByText("Manifest").click();
  await page.waitForSelector("[data-testid='editor'] .cm-content");
  const first = await readFile(new URL("../../web/examples/fluentd-elasticsearch.yaml", import.meta.url), "utf8");
  await paste(page, first.replace("memory: 200Mi", "memory: 300Mi"));
  await get(page, "compare-toggle").click();
  await page.locator("[data-testid='compare'] .come").first().waitFor();
  await shot(page, "compare-phone-dark");
  await checkNoSidewaysScroll(page);
  await checkAccessible(page);
});
