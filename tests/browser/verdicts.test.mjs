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

test("a daemon pod that waits says which node it is for", async (t) => {
  const page = await openExample(t, "host-port");
  await why(page, "DaemonSet second: runs on 0 of 4 nodes, 2 waiting for room, 2 ruled out");
  await node(page, "node-1").getByText("wants to run here, but the node didn't have free ports for the requested pod ports").waitFor();
  // Two workloads, two colours, also where their names fall on one.
  const hues = await page.locator(".workload").evaluateAll((all) => all.map((it) => /hue-\d+/.exec(it.className)[0]));
  assert.equal(new Set(hues).size, 2, `${hues}`);
  await get(page, "pending").locator("[data-testid='pod'][data-name^='second']").first().click();
  await why(page, /^Pod second-\w+: waits for node-[12]$/);
  await node(page, "control-plane").getByText(/^it is for node-[12] only$/).waitFor();
  await get(page, "details").getByText(/names node-[12] alone, so that no other node was looked at/).waitFor();
});

test("priority makes room once it is given", async (t) => {
  const page = await openExample(t, "preemption");
  await why(page, "DaemonSet log-shipper: runs on 0 of 4 nodes, 2 waiting for room, 2 ruled out");
  await page.locator(".cm-line", { hasText: "# priorityClassName" }).click();
  await page.keyboard.press("Control+/");
  await get(page, "apply").click();
  await why(page, "DaemonSet log-shipper: runs on 2 of 4 nodes, 2 ruled out");
  await get(page, "tab-events").click();
  await page.locator("[data-testid='event-row'][data-reason='Preempted']").first().waitFor();
});

test("a rollout is stuck on an image that is never ready", async (t) => {
  const page = await openExample(t, "deployment-stuck");
  await why(page, "Deployment stuck: 3 of 3 ready");
  await page.locator(".cm-line", { hasText: "image: nginx" }).click();
  await page.keyboard.press("End");
  for (const _ of "nginx:1.29") await page.keyboard.press("Backspace");
  await page.keyboard.type("example.com/broken:1.0");
  await page.keyboard.press("Control+Enter");
  await faster(page);
  await why(page, "Deployment stuck: 3 of 3 ready: stuck: the progress deadline has passed");
});

test("a bare pod is something that runs", async (t) => {
  const page = await openExample(t, "volume-claim");
  await page.locator("[data-testid='node'] [data-testid='pod']").first().waitFor({ timeout: 60_000 });
  assert.equal(await page.getByText("Nothing runs yet").count(), 0);
  assert.equal(await page.locator(".said").innerText(), "2 created");
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
