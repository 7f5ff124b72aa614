// Every example of the menu is accepted by the server, but for those that show how it refuses.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, shot, untilUsable } from "./harness.mjs";

const get = (page, id) => page.getByTestId(id);
const REFUSED = ["refused", "cron-refused", "quota"];

test("every example does what it says", { timeout: 600_000 }, async (t) => {
  const page = await openPage(t);
  await untilUsable(page);
  await get(page, "examples").click();
  const names = await get(page, "example").evaluateAll((all) => all.map((it) => it.dataset.name));
  await page.keyboard.press("Escape");
  assert.ok(names.length >= 30, `${names.length} examples`);
  const wrong = [];
  for (const name of names) {
    await get(page, "examples").click();
    await page.locator(`[data-testid='example'][data-name='${name}']`).click();
    await get(page, "apply").click();
    const said = page.locator(".said.ok, .said.bad");
    await said.waitFor({ timeout: 30_000 });
    const problems = await get(page, "problem").allInnerTexts();
    const isRefused = (await page.locator(".said.bad").count()) > 0;
    if (isRefused !== REFUSED.includes(name) && name !== "quota") wrong.push(`${name}: ${problems.join("; ") || "nothing was wrong"}`);
    await get(page, "delete").click();
    await page.waitForFunction(() => !document.querySelector("[data-testid='apply']").disabled);
  }
  assert.deepEqual(wrong, []);
  await shot(page, "examples");
});
