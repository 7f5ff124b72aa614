// The whole story: a manifest becomes pods on nodes, and can be asked why.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAccessible, checkNoSidewaysScroll, openPage, paste, shot, untilUsable } from "./harness.mjs";

const get = (page, id) => page.getByTestId(id);
const pods = (page) => get(page, "cluster-view").locator("[data-testid='node'] [data-testid='pod']");
const node = (page, name) => page.locator(`[data-testid='node'][data-name='${name}']`);

/** Presses Apply and waits until so many pods are ready on nodes. */
async function applyAndWait(page, n) {
  await get(page, "apply").click();
  await page.waitForFunction(
    (n) => document.querySelectorAll("[data-testid='node'] [data-testid='pod'][data-ready='true']").length === n,
    n,
    { timeout: 60_000 },
  );
}

async function open(t, options) {
  const page = await openPage(t, options);
  await untilUsable(page);
  return page;
}

async function kubectl(page, line) {
  await get(page, "tab-console").click();
  const before = await get(page, "console-output").innerText();
  await get(page, "console-input").fill(line);
  await page.keyboard.press("Enter");
  await page.waitForFunction(
    (before) => {
      const text = document.querySelector("[data-testid='console-output']").innerText;
      return text.length > before.length + 12 && !document.querySelector(".console form button");
    },
    before,
    { timeout: 20_000 },
  );
  return (await get(page, "console-output").innerText()).slice(before.length);
}

const daemonSet = (name, spec) => `apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: ${name}
spec:
  selector:
    matchLabels: {app: ${name}}
  template:
    metadata:
      labels: {app: ${name}}
    spec:
${spec}
      containers:
      - name: main
        image: registry.k8s.io/pause:3.10
`;

test("the manifest becomes pods on every eligible node, and the other says why not", async (t) => {
  const page = await open(t);
  await page.waitForSelector("[data-testid='editor'] .cm-content");
  await shot(page, "story-1-before");
  await applyAndWait(page, 3);
  const places = await pods(page).evaluateAll((all) => all.map((it) => it.dataset.node).sort());
  assert.deepEqual(places, ["control-plane", "node-1", "node-2"]);
  await node(page, "node-3").getByText("taint gpu=true:NoSchedule is not tolerated").waitFor();
  // The field that decides is marked in the manifest.
  assert.match(await page.locator(".cm-line.cm-marked").first().innerText(), /tolerations:/);
  await shot(page, "story-2-ready");
  await checkAccessible(page);
});

test("the verdict and the pods are of one moment", async (t) => {
  const page = await open(t);
  await page.evaluate(() => {
    globalThis.wrongs = [];
    const look = () => {
      const runs = /runs on (\d+) of/.exec(document.querySelector(".why")?.innerText ?? "");
      const n = document.querySelectorAll("[data-testid='node'] [data-testid='pod'][data-ready='true']").length;
      if (runs && Number(runs[1]) !== n) globalThis.wrongs.push(`${runs[0]} 4 nodes, but ${n} pods`);
      requestAnimationFrame(look);
    };
    look();
  });
  await applyAndWait(page, 3);
  await page.getByText("runs on 3 of 4 nodes").waitFor();
  assert.deepEqual(await page.evaluate(() => globalThis.wrongs), []);
});

test("streams show changes, events and requests", async (t) => {
  const page = await open(t);
  await applyAndWait(page, 3);
  const row = page.locator("[data-testid='watch-row'][data-type='MODIFIED'][data-kind='Pod']").first();
  await row.click();
  await page.locator(".diff").first().waitFor();
  await get(page, "tab-events").click();
  await page.locator("[data-testid='event-row'][data-reason='SuccessfulCreate']").first().waitFor();
  await get(page, "tab-requests").click();
  await page.locator("[data-testid='request-row'][data-verb='create'][data-code='201']").first().waitFor();
});

test("what is said of a line goes when the line changes, and what cannot be read is said while one types", async (t) => {
  const page = await open(t);
  await paste(page, daemonSet("Bad_Name", "      restartPolicy: Never"));
  await get(page, "apply").click();
  await get(page, "problem").nth(1).waitFor();
  await page.locator(".cm-line", { hasText: "name: Bad_Name" }).first().click();
  await page.keyboard.press("End");
  await page.keyboard.type("s");
  await page.waitForFunction(() => document.querySelectorAll("[data-testid='problem']").length === 1);
  assert.match(await get(page, "problem").innerText(), /restartPolicy/);
  // A line that is no YAML, and well again.
  await page.keyboard.type("\n}");
  await get(page, "problem").getByText(/^yaml: line \d+: /).waitFor();
  await page.keyboard.press("Backspace");
  await get(page, "problem").getByText(/^yaml: /).waitFor({ state: "detached" });
});

test("what opens below the last row is seen", async (t) => {
  const page = await open(t);
  await applyAndWait(page, 3);
  await get(page, "clock-pause").click();
  await get(page, "watch-row").last().click();
  const sees = () => {
    const [opened, rows] = [".diff", ".rows"].map((it) => document.querySelector(it)?.getBoundingClientRect());
    return opened && opened.top < rows.bottom - 40 && (opened.bottom <= rows.bottom + 1 || opened.height > rows.height - 40);
  };
  await page.waitForFunction(sees);
});

test("a refused manifest shows the server's words at their lines", async (t) => {
  const page = await open(t);
  await page.waitForSelector("[data-testid='editor'] .cm-content");
  await paste(page, daemonSet("refused", "      restartPolicy: Never"));
  await get(page, "apply").click();
  const problem = page.locator("[data-testid='problem'][data-line='12']");
  await problem.waitFor();
  assert.match(await problem.innerText(), /spec\.template\.spec\.restartPolicy: Unsupported value: "Never": supported values: "Always"/);
  await shot(page, "story-3-refused");
});

test("a node is cordoned, added and powered off", async (t) => {
  const page = await open(t);
  await applyAndWait(page, 3);
  await node(page, "node-1").getByTestId("node-menu").click();
  await page.getByRole("menuitem", { name: "Cordon" }).click();
  await page.waitForSelector("[data-testid='node'][data-name='node-1'][data-schedulable='false']");
  await get(page, "add-node").click();
  await page.waitForSelector("[data-testid='node'][data-name='node-4'] [data-testid='pod'][data-ready='true']", { timeout: 60_000 });
  await node(page, "node-2").getByTestId("node-menu").click();
  await page.getByRole("menuitem", { name: "Power off" }).click();
  await get(page, "clock-speed").selectOption({ label: "×60" });
  await page.waitForSelector("[data-testid='node'][data-name='node-2'][data-ready='false']", { timeout: 60_000 });
  // Daemon pods are not evicted from a node that is lost.
  assert.equal(await node(page, "node-2").getByTestId("pod").count(), 1);
  await shot(page, "story-4-nodes");
});

test("the console speaks kubectl", async (t) => {
  const page = await open(t);
  await applyAndWait(page, 3);
  assert.match(await kubectl(page, "get daemonset -n kube-system"), /fluentd-elasticsearch +3 +3 +3 +3 +3/);
  assert.match(await kubectl(page, "delete ds fluentd-elasticsearch -n kube-system"), /daemonset\.apps "fluentd-elasticsearch" deleted/);
  await page.waitForFunction(() => !document.querySelector("[data-testid='pod']"), null, { timeout: 60_000 });
});

test("a pod that fits nowhere waits in the lane and says why", async (t) => {
  const page = await open(t);
  await get(page, "examples").click();
  await page.locator("[data-testid='example'][data-name='does-not-fit']").click();
  await get(page, "apply").click();
  const lane = get(page, "pending");
  await lane.getByText("Insufficient cpu").first().waitFor({ timeout: 60_000 });
  await lane.getByText("→ node-1").first().waitFor();
  await node(page, "node-1").getByText(/cpu: asks 2, 1 free/).waitFor();
  await shot(page, "story-5-pending");
  await lane.getByTestId("pod").first().click();
  await get(page, "details-decision").click();
  await page.locator("[data-testid='decision-row'][data-verdict='refused']").first().waitFor();
  await checkAccessible(page);
});

test("a link and a reload bring the same moment back", async (t) => {
  const page = await open(t);
  await applyAndWait(page, 3);
  const names = await pods(page).evaluateAll((all) => all.map((it) => it.dataset.name).sort());
  await get(page, "share").click();
  const link = await get(page, "share-link").inputValue();
  assert.match(link, /#d1:[A-Za-z0-9_-]+$/);
  await page.keyboard.press("Escape");
  await page.waitForTimeout(1_000);
  for (const way of ["reload", "link"]) {
    if (way === "reload") await page.reload();
    else await page.goto(link).then(() => page.reload());
    await untilUsable(page);
    await page.waitForFunction((n) => document.querySelectorAll("[data-testid='node'] [data-testid='pod']").length === n, names.length);
    assert.deepEqual(await pods(page).evaluateAll((all) => all.map((it) => it.dataset.name).sort()), names, way);
  }
});

test("a broken link says so", async (t) => {
  const page = await open(t, { at: "#d1:AAAA" });
  await get(page, "toast").getByText("This link cannot be opened.").waitFor();
});

test("a worker that is killed loses nothing that was acknowledged", async (t) => {
  const page = await open(t);
  await applyAndWait(page, 3);
  const names = await pods(page).evaluateAll((all) => all.map((it) => it.dataset.name).sort());
  await page.workers()[0].evaluate(() => self.close());
  await page.getByText(/The engine stopped and was started again from revision [\d,]+\. Nothing was lost\./).waitFor({ timeout: 60_000 });
  await untilUsable(page);
  assert.deepEqual(await pods(page).evaluateAll((all) => all.map((it) => it.dataset.name).sort()), names);
});

test("a phone shows one pane at a time", async (t) => {
  const page = await open(t, { width: 390, height: 844, hasTouch: true });
  await page.locator(".float-apply").click();
  await page.waitForFunction(() => document.querySelectorAll("[data-testid='pod'][data-ready='true']").length === 3, null, { timeout: 60_000 });
  await shot(page, "story-6-phone");
  for (const name of ["Manifest", "Cluster", "Stream", "Console"]) {
    await page.getByRole("button", { name, exact: true }).click();
    await checkNoSidewaysScroll(page);
    await checkAccessible(page);
  }
});

test("everything can be done with the keyboard", async (t) => {
  const page = await open(t);
  await page.keyboard.press("Control+Enter");
  await page.waitForFunction(() => document.querySelectorAll("[data-testid='pod'][data-ready='true']").length === 3, null, { timeout: 60_000 });
  await page.locator("body").press("c");
  await page.keyboard.press("ArrowRight");
  await page.keyboard.press("ArrowDown");
  const focused = () => page.evaluate(() => document.activeElement?.dataset.roving ?? "");
  assert.equal(await focused(), "pod");
  await page.keyboard.press("Enter");
  await get(page, "details").waitFor();
  await page.keyboard.press("Escape");
  await get(page, "details").waitFor({ state: "detached" });
  await page.locator("body").press("/");
  await page.waitForFunction(() => document.activeElement?.id === "console-line");
  await page.locator("body").press(" ");
});

test("in a frame there is one thing to press", async (t) => {
  const page = await open(t, { width: 700, height: 420, at: "?embed=1&theme=dark#example/node-affinity" });
  await applyAndWait(page, 2);
  await shot(page, "story-7-frame");
  await checkNoSidewaysScroll(page);
});
