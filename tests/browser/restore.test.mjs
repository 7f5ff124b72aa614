// Long sessions: a snapshot takes the place of what led to it, and nothing that was acknowledged is lost.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, paste, untilUsable } from "./harness.mjs";

const get = (page, id) => page.getByTestId(id);
const names = (page) =>
  page.locator("[data-testid='node'] [data-testid='pod']").evaluateAll((all) => all.map((it) => it.dataset.name).sort());
const time = (page) => get(page, "clock").getAttribute("data-time");

const MANIFEST = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 30
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: main
        image: registry.k8s.io/pause:3.10
---
apiVersion: batch/v1
kind: CronJob
metadata:
  name: tick
spec:
  schedule: "* * * * *"
  jobTemplate:
    spec:
      template:
        spec:
          restartPolicy: Never
          containers:
          - name: main
            image: busybox:1.36
            command: [sh, -c, date]
`;

/** What the browser keeps: bytes of the state, and characters of the snapshot. */
const kept = (page) =>
  page.evaluate(
    () =>
      new Promise((resolve) => {
        const opening = indexedDB.open("drydock", 1);
        opening.onsuccess = () => {
          const table = opening.result.transaction("kept").objectStore("kept");
          const [state, base] = ["session", "base"].map((key) => table.get(key));
          table.transaction.oncomplete = () => {
            opening.result.close();
            resolve({ state: state.result?.length ?? 0, base: base.result?.length ?? 0 });
          };
        };
      }),
  );

async function until(holds, what) {
  for (const end = Date.now() + 60_000; !(await holds()); ) {
    assert.ok(Date.now() < end, what);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function kubectl(page, line) {
  await get(page, "tab-console").click();
  await get(page, "console-input").fill(line);
  await page.keyboard.press("Enter");
  await page.waitForFunction(() => !document.querySelector(".console form button"));
  return get(page, "console-output").innerText();
}

test("a long session comes back from a snapshot and what followed it", { timeout: 240_000 }, async (t) => {
  const page = await openPage(t);
  await untilUsable(page);
  await paste(page, MANIFEST);
  await get(page, "apply").click();
  await page.waitForFunction(() => document.querySelectorAll("[data-testid='pod'][data-ready='true']").length >= 30);
  await get(page, "clock-speed").selectOption("0");
  await until(async () => (await kept(page)).base > 0, "a snapshot is kept");
  await get(page, "clock-speed").selectOption("4");
  await kubectl(page, "kubectl create configmap after-the-snapshot");
  await get(page, "clock-pause").click();
  await page.waitForTimeout(1_000);
  const before = { names: await names(page), time: await time(page) };
  assert.ok(before.names.length >= 30);
  const same = async (page) => {
    await untilUsable(page);
    await page.waitForFunction((n) => document.querySelectorAll("[data-testid='node'] [data-testid='pod']").length === n, before.names.length);
    assert.deepEqual({ names: await names(page), time: await time(page) }, before);
    assert.match(await kubectl(page, "kubectl get configmap after-the-snapshot -o name"), /^configmap\/after-the-snapshot$/m);
  };

  await page.reload();
  await same(page);
  // Why a pod is where it is outlives the scheduler that decided it.
  await kubectl(page, `kubectl get schedulingdecision ${before.names.find((it) => it.startsWith("web-"))} -o jsonpath='{.status.nodes[0].filters[0].plugin}'`);
  await page.getByText("NodeUnschedulable").first().waitFor();

  await page.workers()[0].evaluate(() => self.close());
  await page.getByText(/Nothing was lost\./).waitFor({ timeout: 60_000 });
  await same(page);

  // A link holds the snapshot, too.
  await get(page, "share").click();
  const link = await get(page, "share-link").inputValue();
  const other = await openPage(t, { at: link.slice(link.indexOf("#")) });
  await same(other);
});

test("what is acknowledged outlives a reload at that moment", async (t) => {
  const page = await openPage(t);
  await untilUsable(page);
  await paste(page, "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: at-once\n");
  await get(page, "apply").click();
  await page.getByText("configmap/at-once created").first().waitFor();
  await page.reload();
  await untilUsable(page);
  assert.match(await kubectl(page, "kubectl get configmaps -o name"), /configmap\/at-once/);
});
