// On a phone nothing is wider than it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, shot, untilUsable } from "./harness.mjs";

const get = (page, id) => page.getByTestId(id);
const WIDTH = 390;

/** Elements that can be seen and stand out of the window, unless they are within something that scrolls or cuts. */
async function checkFits(page, what) {
  const out = await page.evaluate((width) => {
    const cuts = (it) => it && it !== document.body && (getComputedStyle(it).overflowX !== "visible" || cuts(it.parentElement));
    return [...document.querySelectorAll("body *")]
      .filter((it) => it.checkVisibility() && !cuts(it.parentElement) && !it.closest("svg"))
      .map((it) => [it, it.getBoundingClientRect()])
      .filter(([, rect]) => rect.width > 0 && (rect.left < -0.5 || rect.right > width + 0.5))
      .map(([it, rect]) => `${it.tagName}.${it.className} from ${rect.left} to ${rect.right}`);
  }, WIDTH);
  assert.deepEqual(out, [], what);
}

test("everything fits a phone", async (t) => {
  const page = await openPage(t, { width: WIDTH, height: 844, hasTouch: true });
  await untilUsable(page);
  await page.locator(".float-apply").waitFor();
  await checkFits(page, "at first");
  const hint = await page.locator(".bar .hint").boundingBox();
  assert.ok(hint.height < 45, `the hint is ${hint.height} px high`);
  await shot(page, "phone-1-first");
  await get(page, "examples").click();
  await page.locator("[role='menu']").waitFor();
  const menu = await page.locator("[role='menu']").boundingBox();
  assert.ok(menu.x >= 0 && menu.x + menu.width <= WIDTH, `the menu goes from ${menu.x} to ${menu.x + menu.width}`);
  await checkFits(page, "examples");
  await shot(page, "phone-2-examples");
  await page.keyboard.press("Escape");
  await page.locator(".float-apply").click();
  await page.locator("[data-testid='node'] [data-testid='pod'][data-ready='true']").nth(2).waitFor({ timeout: 60_000 });
  // Its work is done.
  await page.locator(".float-apply").waitFor({ state: "detached" });
  await checkFits(page, "applied");
  const pod = page.locator("[data-testid='node'] [data-testid='pod']").last();
  await pod.tap();
  const sheet = get(page, "details");
  await sheet.waitFor();
  await page.waitForTimeout(300);
  const [below, chip] = [await sheet.boundingBox(), await pod.boundingBox()];
  assert.ok(chip.y > 48 && chip.y + chip.height <= below.y, `the pod at ${chip.y} is under the sheet at ${below.y}`);
  await checkFits(page, "a pod");
  await shot(page, "phone-3-pod");
  await page.keyboard.press("Escape");
  await get(page, "view-workloads").click();
  await get(page, "tree").waitFor();
  const tail = page.locator("[data-testid='tree-row'][data-kind='Pod'] .cut span:last-child").first();
  const end = await tail.boundingBox();
  assert.ok(end.x + end.width <= WIDTH && end.width > 20, "the end of a pod's name is there");
  await checkFits(page, "workloads");
  await shot(page, "phone-4-workloads");
  for (const name of ["Manifest", "Stream", "Console"]) {
    await page.getByRole("button", { name, exact: true }).click();
    await checkFits(page, name);
    await shot(page, `phone-5-${name.toLowerCase()}`);
  }
});
