// The components: their queues, and what they do, in words.
import assert from "node:assert/strict";
import { test } from "node:test";
import { checkAccessible, checkNoSidewaysScroll, openPage, paste, shot, untilUsable } from "./harness.mjs";

const get = (page, id) => page.getByTestId(id);
const component = (page, name) => page.locator(`[data-testid='component'][data-name='${name}']`);

/** A quota that allows no pod: the ReplicaSet fails and is tried again. */
const REFUSED = `apiVersion: v1
kind: ResourceQuota
metadata:
  name: nothing
spec:
  hard: {pods: "0"}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
spec:
  replicas: 2
  selector:
    matchLabels: {app: web}
  template:
    metadata:
      labels: {app: web}
    spec:
      containers:
      - name: main
        image: registry.k8s.io/pause:3.10
`;

test("components say what waits for them and why they try again", async (t) => {
  const page = await openPage(t);
  await untilUsable(page);
  await get(page, "view-components").click();
  await component(page, "daemonset").getByText("waits for changes").waitFor();
  // What is stopped collects work.
  await component(page, "daemonset").getByRole("button", { name: "Stop daemonset" }).click();
  await page.locator("[data-name='daemonset'][data-state='stopped']").waitFor();
  await page.keyboard.press("Control+Enter");
  await component(page, "daemonset").getByRole("button", { name: "Start daemonset" }).click();
  await component(page, "daemonset").getByText(/kube-system\/fluentd-elasticsearch at/).waitFor();
  await paste(page, REFUSED);
  await page.keyboard.press("Control+Enter");
  const failing = component(page, "replicaset");
  await failing.getByText(/default\/web-\w+ failed (once|\d+ times), again (in|at) .*exceeded quota: nothing/).first().waitFor();
  assert.ok(Number(await failing.locator(".number").nth(1).innerText()) > 0);
  await failing.scrollIntoViewIfNeeded();
  await shot(page, "components-light");
  await checkAccessible(page);
  // The same through the API.
  await failing.getByRole("button", { name: "replicaset", exact: true }).click();
  await get(page, "details-yaml").click();
  await get(page, "details").getByText("backOffs").waitFor();
});

test("on a phone the components fit", async (t) => {
  const page = await openPage(t, { width: 390, height: 844, colorScheme: "dark" });
  await untilUsable(page);
  await get(page, "view-components").click();
  await component(page, "kubelet").waitFor();
  await shot(page, "components-phone-dark");
  await checkNoSidewaysScroll(page);
  await checkAccessible(page);
});
