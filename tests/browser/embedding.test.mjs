// Documentation that embeds the page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, shot } from "./harness.mjs";

const config = (name) => `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}\n`;

const GUIDE = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>A guide</title><link rel="icon" href="data:," />
  <script type="module" src="../some/where/drydock.js"></script></head>
  <body style="max-width: 760px; margin: 24px auto; font: 16px/1.5 sans-serif">
    <h1>DaemonSets</h1>
    <drydock-playground id="first" nodes="2" theme="light" height="360" autorun title="A DaemonSet on two nodes">
      apiVersion: apps/v1
      kind: DaemonSet
      metadata:
        name: agent
      spec:
        selector:
          matchLabels: {app: agent}
        template:
          metadata:
            labels: {app: agent}
          spec:
            containers:
            - name: main
              image: registry.k8s.io/pause:3.10
    </drydock-playground>
    <p>And from a file:</p>
    <drydock-playground id="second" src="config.yaml" view="editor" theme="dark" height="240px"></drydock-playground>
  </body>
</html>
`;

test("a guide embeds the page twice", async (t) => {
  const page = await openPage(t, {
    at: "../../docs/guide.html",
    pages: { "docs/guide.html": ["text/html", GUIDE], "docs/config.yaml": ["text/yaml", config("of-a-file")] },
  });
  const frame = (id) => page.locator(`#${id}`).locator("iframe").contentFrame();
  // It runs by itself where that is asked for, on the nodes that are asked for.
  await frame("first").locator("[data-testid='node'] [data-testid='pod'][data-ready='true']").nth(1).waitFor({ timeout: 60_000 });
  const nodes = await frame("first").getByTestId("node").evaluateAll((all) => all.map((it) => it.dataset.name).sort());
  assert.deepEqual(nodes, ["node-1", "node-2"]);
  await page.locator("#second").scrollIntoViewIfNeeded();
  await frame("second").getByText("of-a-file").first().waitFor({ timeout: 60_000 });
  assert.equal(await frame("second").locator("html").getAttribute("data-theme"), "dark");
  await shot(page, "embedding");
  // The page around asks; each frame has a cluster of its own.
  const said = await page.evaluate(async (text) => {
    const [first, second] = ["first", "second"].map((id) => document.getElementById(id));
    const res = [await second.apply(text), await first.kubectl("get daemonset,configmap -o name"), await first.text()];
    first.setAttribute("theme", "dark");
    res.push(await second.kubectl("nonsense").catch((it) => it.message));
    res.push(await second.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Not_A_Name}\n").catch((it) => `rejected: ${it.message}`));
    return res;
  }, config("from-outside"));
  assert.equal(said[0], "created configmap/from-outside");
  assert.match(said[1], /daemonset.apps\/agent/);
  assert.doesNotMatch(said[1], /from-outside/);
  assert.match(said[2], /^apiVersion: apps\/v1\nkind: DaemonSet\n[^]*\n {6}- name: main\n/);
  assert.match(said[3], /unknown command/);
  assert.match(said[4], /^rejected: .*Invalid value/);
  await frame("first").locator("html[data-theme='dark']").waitFor({ state: "attached" });
  // Taken out and put back, it begins anew.
  await page.evaluate(() => {
    const first = document.getElementById("first");
    document.body.append(first);
  });
  await frame("first").locator("[data-testid='node'] [data-testid='pod'][data-ready='true']").nth(1).waitFor({ timeout: 60_000 });
});

test("a frame shows the console, and says what it does not know", async (t) => {
  const page = await openPage(t, { at: "?embed=1&view=console&nodes=many", width: 700, height: 420 });
  await page.getByTestId("console-input").waitFor({ timeout: 60_000 });
  await page.getByTestId("toast").getByText("nodes=many is not a number from 1 to 100.").waitFor();
});
