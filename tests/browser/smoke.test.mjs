import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAccessible, checkNoSidewaysScroll, openPage, shot, untilUsable } from "./harness.mjs";

test("the page loads and the engine starts", async (t) => {
  const page = await openPage(t);
  const waitedFor = [];
  // What comes in the background is fetched; what a program needs at once it asks for and waits.
  page.on("request", (it) => it.resourceType() === "xhr" && waitedFor.push(it.url()));
  await page.reload();
  await untilUsable(page);
  assert.deepEqual(waitedFor, [], "the rest of a program was needed before the page was usable");
  assert.match(await page.title(), /^Drydock/);
  await shot(page, "smoke-1440");
  await checkAccessible(page);
});

test("the page fits a phone", async (t) => {
  const page = await openPage(t, { width: 390, height: 844 });
  await untilUsable(page);
  await shot(page, "smoke-390");
  await checkNoSidewaysScroll(page);
});
