import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, shot, untilUsable } from "./harness.mjs";

/** An editor alone, over the page; `globalThis.heard` holds what it reported. */
async function openEditor(t, text) {
  const page = await openPage(t, { width: 700, height: 420 });
  await untilUsable(page);
  await page.evaluate(async (text) => {
    const host = document.createElement("div");
    host.id = "alone";
    Object.assign(host.style, { position: "fixed", inset: "0", zIndex: "1000" });
    document.body.append(host);
    const heard = { changes: [], applied: 0, lines: [] };
    const editor = await globalThis.drydock.editor(host, {
      text,
      label: "Manifest under test",
      onChange: (it) => heard.changes.push(it),
      onApply: () => heard.applied++,
      onCursor: (it) => heard.lines.push(it),
      complete: async () => [{ label: "replicas", detail: "integer" }],
    });
    Object.assign(globalThis, { heard, editor });
  }, text);
  return { page, content: page.locator("#alone .cm-content") };
}

test("typing is reported and Ctrl+Enter applies", async (t) => {
  const { page, content } = await openEditor(t, "kind: Pod\n");
  await content.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("spec: {}");
  await page.keyboard.press("Control+Enter");
  const heard = await page.evaluate(() => globalThis.heard);
  assert.equal(heard.changes.at(-1), "kind: Pod\nspec: {}");
  assert.equal(heard.applied, 1);
  assert.equal(heard.lines.at(-1), 2);
});

test("a problem is underlined on its line", async (t) => {
  const { page } = await openEditor(t, "kind: Pod\nspec: {}\nstatus: {}\n");
  const problem = { line: 2, column: 7, severity: "error", message: "Required value" };
  await page.evaluate((it) => globalThis.editor.setProblems([it]), problem);
  const marked = page.locator("#alone .cm-line:has(.cm-lintRange-error)");
  await marked.waitFor();
  assert.equal(await marked.innerText(), "spec: {}");
  await shot(page, "editor-problem");
});

test("a new text keeps the cursor's line and can be undone", async (t) => {
  const { page } = await openEditor(t, "a: 1\nb: 2\nc: 3\n");
  await page.evaluate(() => globalThis.editor.goTo(3, 2));
  await page.evaluate(() => globalThis.editor.setText("a: 1\nb: 4\nc: 3\n"));
  assert.equal(await page.evaluate(() => globalThis.editor.text()), "a: 1\nb: 4\nc: 3\n");
  assert.equal(await page.locator("#alone .cm-activeLine").innerText(), "c: 3");
  await page.keyboard.press("Control+z");
  assert.equal(await page.evaluate(() => globalThis.editor.text()), "a: 1\nb: 2\nc: 3\n");
});

test("another text puts the cursor where it begins, with nothing selected", async (t) => {
  const { page, content } = await openEditor(t, "a: 1\nb: 2\n");
  await content.click();
  await page.keyboard.press("Control+a");
  await page.evaluate(() => globalThis.editor.setText("c: 3\nd: 4\n"));
  await page.keyboard.type("# ");
  assert.equal(await page.evaluate(() => globalThis.editor.text()), "# c: 3\nd: 4\n");
});

test("the rest of a long line stands further in than its beginning", async (t) => {
  const long = "word ".repeat(60);
  const { page } = await openEditor(t, `# ${long}\nspec:\n      - text: ${long}\n`);
  const rows = await page.locator("#alone .cm-line").evaluateAll((all) =>
    all.map((line) => {
      const range = document.createRange();
      const text = document.createTreeWalker(line, NodeFilter.SHOW_TEXT);
      const lefts = [];
      while (text.nextNode()) {
        const at = text.currentNode.data.search(/\S/);
        if (at < 0) continue;
        range.setStart(text.currentNode, at);
        range.setEnd(text.currentNode, text.currentNode.length);
        lefts.push(...[...range.getClientRects()].map((it) => it.left));
      }
      return [lefts[0], lefts.at(-1)];
    }),
  );
  const [comment, short, deep] = rows;
  assert.ok(comment[1] > comment[0], `${comment}`);
  assert.ok(short[0] === comment[0], `${rows}`);
  assert.ok(deep[1] > deep[0] && deep[0] > short[0] + 20, `${deep}`);
  await shot(page, "editor-long-lines");
});

test("completion offers what the page knows", async (t) => {
  const { page, content } = await openEditor(t, "spec:\n  ");
  await page.waitForSelector("#alone .cm-gutter-lint", { state: "attached" });
  await content.click();
  await page.keyboard.press("Control+End");
  await page.keyboard.type("rep");
  await page.getByRole("option", { name: /replicas/ }).click();
  assert.equal(await page.evaluate(() => globalThis.editor.text()), "spec:\n  replicas");
});
