// What leaves the page and comes back: files, links of examples, requests of a page around the frame; and the crowd.
import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { checkAccessible, openPage, paste, shot, untilUsable } from "./harness.mjs";

const get = (page, id) => page.getByTestId(id);
const ready = (page, n, timeout = 60_000) =>
  page.waitForFunction((n) => document.querySelectorAll("[data-testid='pod'][data-ready='true']").length === n, n, { timeout });
const editorText = (page) => page.locator("[data-testid='editor'] .cm-content").innerText();

async function exported(page) {
  await page.getByRole("button", { name: "More", exact: true }).click();
  const [download] = await Promise.all([page.waitForEvent("download"), get(page, "export").click()]);
  assert.equal(download.suggestedFilename(), "drydock.yaml");
  return readFile(await download.path(), "utf8");
}

async function imported(page, text) {
  const path = join(tmpdir(), `drydock-import-${process.pid}.yaml`);
  await writeFile(path, text);
  await page.getByRole("button", { name: "More", exact: true }).click();
  const [chooser] = await Promise.all([page.waitForEvent("filechooser"), get(page, "import").click()]);
  await chooser.setFiles(path);
}

test("a file holds the cluster and is a manifest for everyone else", async (t) => {
  const page = await openPage(t);
  await untilUsable(page);
  await page.keyboard.press("Control+Enter");
  await ready(page, 3);
  const names = () => get(page, "pod").evaluateAll((all) => all.map((it) => it.dataset.name).sort());
  const before = await names();
  const text = await exported(page);
  assert.match(text, /^apiVersion: apps\/v1\nkind: DaemonSet/);
  await page.getByRole("button", { name: "More", exact: true }).click();
  await get(page, "reset").click();
  await page.getByRole("dialog").getByRole("button", { name: /Start over/ }).click();
  await untilUsable(page);
  await page.waitForFunction(() => !document.querySelector("[data-testid='pod']"));
  await imported(page, text);
  await ready(page, 3);
  assert.deepEqual(await names(), before);
  // Somebody else's manifest only goes into the editor.
  await imported(page, "kind: Pod\napiVersion: v1\nmetadata:\n  name: of-a-friend\n");
  await page.locator("[data-testid='editor']").getByText("of-a-friend").waitFor();
  assert.deepEqual(await names(), before);
  // A damaged one loses nothing.
  await imported(page, "kind: Pod\n# drydock: d1:AAAA\n");
  await get(page, "toast").getByText("The cluster in this file cannot be opened.").waitFor();
  assert.equal((await editorText(page)).trim(), "kind: Pod");
  assert.deepEqual(await names(), before);
});

test("the page around a frame can ask", async (t) => {
  const page = await openPage(t, { width: 900, height: 600, at: "?embed=1" });
  await untilUsable(page);
  const ask = (method, params) =>
    page.evaluate(
      ({ method, params }) =>
        new Promise((resolve) => {
          const id = Math.random();
          addEventListener("message", ({ data }) => data?.id === id && !data.method && resolve(data));
          postMessage({ drydock: 1, id, method, params }, "*");
        }),
      { method, params },
    );
  const text = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-outside\n";
  assert.equal((await ask("apply", { text })).result, "configmap/from-outside created");
  assert.equal((await ask("text")).result, text);
  assert.equal((await ask("pause")).result, true);
  await page.locator("[data-testid='clock'][data-speed='0']").waitFor({ state: "attached" });
  assert.match((await ask("nonsense")).error, /there is no method nonsense/);
  assert.equal((await ask("kubectl", { args: "get configmap from-outside -o name" })).result, "configmap/from-outside\n");
});

test("the editor knows the fields of each kind", async (t) => {
  const page = await openPage(t);
  await untilUsable(page);
  const content = page.locator("[data-testid='editor'] .cm-content");
  // What knows of fields is loaded last.
  await page.waitForSelector("[data-testid='editor'] .cm-gutter-lint", { state: "attached" });
  await content.getByText("matchLabels").first().hover();
  const tip = page.locator(".cm-tooltip-hover");
  await tip.getByText("spec.selector.matchLabels").waitFor();
  await tip.getByText("Labels that objects must have").waitFor();
  await shot(page, "editor-hover");
  await page.mouse.move(700, 500);
  await paste(page, "apiVersion: v1\nkind: Pod\nspec:\n  ");
  await page.keyboard.type("restartP");
  await page.getByRole("option", { name: /restartPolicy/ }).waitFor();
  await shot(page, "editor-completion");
});

test("more than 150 nodes are one field", { timeout: 300_000 }, async (t) => {
  const page = await openPage(t, { at: "?theme=dark#example/many-machines" });
  await untilUsable(page);
  await paste(page, "apiVersion: sim.drydock.dev/v1alpha1\nkind: MachinePool\nmetadata:\n  name: crowd\nspec:\n  replicas: 200\n  namePrefix: crowd-\n");
  await get(page, "apply").click();
  await page.locator(".field-of-nodes").waitFor({ timeout: 120_000 });
  await shot(page, "field-dark");
  // Its colours are those of the theme; nothing else changes them while time stands.
  await get(page, "clock-pause").click();
  await page.locator("[data-testid='clock'][data-speed='0']").waitFor();
  await page.waitForTimeout(500);
  const picture = () => page.locator(".field-of-nodes canvas").evaluate((it) => it.toDataURL());
  const dark = await picture();
  await get(page, "theme").click();
  await page.waitForFunction((dark) => document.querySelector(".field-of-nodes canvas").toDataURL() !== dark, dark);
  await get(page, "theme").click();
  await checkAccessible(page);
});

test("dark is as legible as light", async (t) => {
  const page = await openPage(t, { colorScheme: "dark" });
  await untilUsable(page);
  await page.keyboard.press("Control+Enter");
  await ready(page, 3);
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await shot(page, "dark-1440");
  await checkAccessible(page);
});
