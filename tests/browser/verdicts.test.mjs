// What the page says of workloads, and how it draws them.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, shot, untilUsable } from "./harness.mjs";

const get = (page, id) => page.getByTestId(id);
const why = (page, text) => page.locator(".why").getByText(text).waitFor({ timeout: 60_000 });
const node = (page, name) => page.locator(`[data-testid='node'][data-name='${name}']`);
const faster = (page) => get(page, "clock-speed").selectOption({ label: "×60" });

async function openExample(t, name) {
  const page = await openPage(t, { at: name === "" ? "" : `#example/${name}` });
  await untilUsable(page);
  await get(page, "apply").click();
  return page;
}

test("a node that is off takes its pod along", async (t) => {
  const page = await openExample(t, "");
  await why(page, "runs on 3 of 4 nodes, 1 ruled out");
  await node(page, "node-1").getByTestId("node-menu").click();
  await page.getByRole("menuitem", { name: "Power off" }).click();
  await node(page, "node-1").getByText("still counts as ready: nobody has missed the node yet").waitFor();
  await faster(page);
  await node(page, "node-1").getByText("lost: the node is off").waitFor({ timeout: 60_000 });
  await why(page, "runs on 2 of 4 nodes, 1 lost with its node, 1 ruled out");
  await shot(page, "verdicts-1-off");
});

test("a quota that is full is named, and so is a taint", async (t) => {
  const page = await openExample(t, "quota");
  await why(page, /^Deployment greedy: 2 of 4 ready: .*exceeded quota: two-pods/);
  await node(page, "node-3").getByText("taint gpu=true:NoSchedule is not tolerated").waitFor();
  await shot(page, "verdicts-2-quota");
  await page.locator("[data-testid='node'] [data-testid='pod']").first().click();
  await page.locator("[data-testid='decision-row'][data-node='node-3']").getByText("taint gpu=true:NoSchedule is not tolerated").waitFor();
  const widths = await page.locator(".scores dt").evaluateAll((all) => all.map((it) => it.getClientRects().length));
  assert.ok(widths.length > 5 && widths.every((it) => it === 1), "a plugin's name stands on one line");
  await shot(page, "verdicts-3-decision");
});

test("a crashing container is failing, not on its way", async (t) => {
  const page = await openExample(t, "crashing");
  await faster(page);
  await node(page, "node-1").getByText(/^is failing: CrashLoopBackOff, \d+ restart/).waitFor({ timeout: 60_000 });
  await why(page, /failing/);
  await shot(page, "verdicts-4-failing");
});

test("a CronJob says when it runs next and what ran", async (t) => {
  const page = await openExample(t, "hello-cronjob");
  await why(page, /no pod yet; next \d\d:\d\d:\d\d/);
  await faster(page);
  await why(page, /[12] succeeded; next/);
});

test("colours are the names', whatever came first", async (t) => {
  const hues = (page) =>
    page.locator(".workload").evaluateAll((all) => Object.fromEntries(all.map((it) => [it.innerText.split("\n")[0], /hue-\d+/.exec(it.className)[0]])));
  const page = await openExample(t, "disruption-budget");
  await page.locator(".workload").first().waitFor();
  const alone = await hues(page);
  const other = await openExample(t, "deployment-rollout");
  await other.locator(".workload").first().waitFor();
  await other.locator("body").press("/");
  await get(other, "examples").click();
  await other.locator("[data-testid='example'][data-name='disruption-budget']").click();
  await get(other, "apply").click();
  await other.locator(".workload").nth(1).waitFor();
  const [[name, hue]] = Object.entries(alone);
  assert.equal((await hues(other))[name], hue);
  await other.waitForTimeout(1_000);
  await other.evaluate(() => history.replaceState(null, "", location.pathname));
  await other.reload();
  await untilUsable(other);
  assert.equal((await hues(other))[name], hue);
  await get(other, "tab-watch").click();
  await other.getByText("Its changes before that are not kept").waitFor();
  await get(other, "tab-events").click();
  await other.locator("[data-testid='event-row'][data-reason='Scheduled']").first().waitFor();
});
