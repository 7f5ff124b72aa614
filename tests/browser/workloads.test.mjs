// Workloads, their runs, rollouts and endpoints, and who did what because of what.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAccessible, checkNoSidewaysScroll, openPage, shot, untilUsable } from "./harness.mjs";

const get = (page, id) => page.getByTestId(id);
const row = (page, kind) => page.locator(`[data-testid='tree-row'][data-kind='${kind}']`);

/** The page with an example applied and its workloads shown as a tree. */
async function openTree(t, example, options = {}) {
  const page = await openPage(t, { at: `#example/${example}`, ...options });
  await untilUsable(page);
  await page.keyboard.press("Control+Enter");
  await get(page, "view-workloads").click();
  await get(page, "tree").waitFor({ timeout: 30_000 });
  return page;
}

const focused = (page) => page.evaluate(() => document.activeElement?.dataset.kind ?? "");

test("workloads stand as a tree of who owns whom, and each change has a cause", async (t) => {
  const page = await openTree(t, "deployment-rollout");
  await page.locator("[data-testid='tree-row'][data-kind='Deployment'][data-state='good']").waitFor({ timeout: 60_000 });
  assert.equal(await row(page, "Pod").count(), 4);
  await shot(page, "workloads-1-tree");
  await checkAccessible(page);
  await row(page, "Deployment").focus();
  await page.keyboard.press("ArrowLeft");
  await row(page, "ReplicaSet").waitFor({ state: "detached" });
  await page.keyboard.press("ArrowRight");
  await row(page, "ReplicaSet").waitFor();
  for (const kind of ["ReplicaSet", "Pod"]) {
    await page.keyboard.press("ArrowRight");
    assert.equal(await focused(page), kind);
  }
  await page.keyboard.press("ArrowLeft");
  assert.equal(await focused(page), "ReplicaSet");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await get(page, "details").waitFor();
  await get(page, "details-causes").click();
  await get(page, "chain-step").first().waitFor();
  const steps = await get(page, "chain-step").evaluateAll((all) => all.map((it) => `${it.dataset.component} ${it.dataset.kind}`));
  assert.match(steps[0], /^kubectl Deployment$/);
  const order = ["kubectl Deployment", "deployment-controller ReplicaSet", "replicaset-controller Pod", "default-scheduler Pod", "kubelet Pod"];
  assert.deepEqual(order.filter((it) => steps.includes(it)), order, steps.join("\n"));
  await get(page, "chain").getByText(/PATCH \/api\/v1\/namespaces\/default\/pods\/rolling-web-\S+\/status/).first().waitFor();
  await get(page, "chain").getByText("POST /api/v1/namespaces/default/pods", { exact: true }).waitFor();
  assert.ok(order.every((it, idx) => idx === 0 || steps.indexOf(order[idx - 1]) < steps.indexOf(it)), steps.join("\n"));
  await shot(page, "workloads-2-causes");
  await checkAccessible(page);
  await page.keyboard.press("Escape");
  await get(page, "details").waitFor({ state: "detached" });
  // The focus goes back to where it was.
  assert.equal(await focused(page), "Pod");
  await page.locator("body").press("w");
  await get(page, "tree").waitFor({ state: "detached" });
  await page.locator("body").press("w");
  await get(page, "tree").waitFor();
  await page.reload();
  // How it was shown is remembered; a link to an example begins anew.
  await page.getByText("see here who makes what").waitFor({ timeout: 60_000 });
});

test("on a phone the tree fits", async (t) => {
  const page = await openTree(t, "deployment-rollout", { width: 390, height: 844, hasTouch: true });
  await page.locator("[data-testid='tree-row'][data-kind='Deployment'][data-state='good']").waitFor({ timeout: 60_000 });
  await checkNoSidewaysScroll(page);
  await shot(page, "workloads-3-phone");
  await checkAccessible(page);
});

test("a CronJob's runs stand on a time line", async (t) => {
  const page = await openTree(t, "hello-cronjob");
  const runs = (state) => page.locator(`[data-testid='run'][data-state='${state}']`);
  await row(page, "CronJob").click();
  await runs("next").nth(4).waitFor();
  for (const n of [1, 2]) {
    await get(page, "runs-next").click();
    await page.waitForFunction((n) => document.querySelectorAll("[data-testid='run'][data-job^='hello-']").length >= n, n);
  }
  await runs("succeeded").first().waitFor({ timeout: 60_000 });
  await shot(page, "workloads-4-runs");
  await checkAccessible(page);
  await get(page, "runs-suspend").click();
  await page.getByText("Suspended.").waitFor();
  await runs("next").first().waitFor({ state: "detached" });
  await runs("succeeded").first().getByRole("button").click();
  await get(page, "details").getByRole("heading", { name: /hello-\d+/ }).waitFor();
});

test("a rollout is watched, paused, undone", async (t) => {
  const page = await openTree(t, "deployment-rollout");
  await page.locator("[data-testid='tree-row'][data-kind='Deployment'][data-state='good']").waitFor({ timeout: 60_000 });
  await row(page, "Deployment").click();
  const revision = (n) => page.locator(`[data-testid='revision'][data-revision='${n}']`);
  await revision(1).waitFor();
  await get(page, "rollout-restart").click();
  await page.locator("[data-testid='revision'][data-revision='2'][data-new='true']").waitFor({ timeout: 30_000 });
  await shot(page, "workloads-5-rollout");
  await page.locator("[data-testid='rollout'][data-state='good'] [data-testid='revision'][data-revision='2'][data-ready='4']").waitFor({ timeout: 60_000 });
  assert.equal(await revision(1).getAttribute("data-pods"), "0");
  await checkAccessible(page);
  await get(page, "rollout-pause").click();
  await get(page, "rollout").getByText("paused", { exact: true }).waitFor();
  await get(page, "rollout-pause").click();
  await page.locator("[data-testid='rollout'][data-state='good']").waitFor();
  await revision(1).getByRole("button", { name: "Back to this" }).click();
  await page.locator("[data-testid='revision'][data-revision='3'][data-new='true']").waitFor({ timeout: 30_000 });
});

test("a Service shows its endpoints", async (t) => {
  const page = await openTree(t, "service");
  await row(page, "Service").click();
  const ready = page.locator("[data-testid='endpoint'][data-ready='true']");
  await ready.nth(2).waitFor({ timeout: 60_000 });
  assert.match(await ready.first().getAttribute("data-address"), /^10\./);
  await get(page, "service").getByText("shop.default.svc.cluster.local").waitFor();
  await page.waitForFunction(() => /^pod default\/shop-/.test(document.querySelector("[data-testid='request-from']").value));
  await get(page, "request-send").click();
  await page.locator("[data-testid='way'][data-answered='true']").waitFor();
  const stages = await get(page, "hop").evaluateAll((all) => all.map((it) => it.dataset.stage));
  for (const stage of ["Service", "Endpoint", "Answer"]) assert.ok(stages.includes(stage), stages.join(" "));
  await shot(page, "workloads-6-service");
  await checkAccessible(page);
  // A node asks other servers for names.
  await get(page, "request-from").selectOption({ label: "node node-1" });
  await get(page, "request-send").click();
  await page.locator("[data-testid='way'][data-answered='false']").waitFor();
});
