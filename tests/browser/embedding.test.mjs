// Documentation that embeds the page.
import assert from "node:assert/strict";
import { test } from "node:test";
import { openPage, shot, siteUrl } from "./harness.mjs";

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
    res.push((await first.advance({ to: "nextEvent" })).kind);
    const nodes = await first.fetch("/api/v1/nodes");
    res.push(`${nodes.status} ${(await nodes.json()).items.length}`);
    res.push(await second.kubectl("nonsense").catch((it) => it.message));
    res.push(await second.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: Not_A_Name}\n").catch((it) => `rejected: ${it.message}`));
    return res;
  }, config("from-outside"));
  assert.equal(said[0], "configmap/from-outside created");
  assert.match(said[1], /daemonset.apps\/agent/);
  assert.doesNotMatch(said[1], /from-outside/);
  assert.match(said[2], /^apiVersion: apps\/v1\nkind: DaemonSet\n[^]*\n {6}- name: main\n/);
  assert.deepEqual(said.slice(3, 5), ["Clock", "200 2"]);
  assert.match(said[5], /unknown command/);
  assert.match(said[6], /^rejected: .*Invalid value/);
  await frame("first").locator("html[data-theme='dark']").waitFor({ state: "attached" });
  // Taken out and put back, it begins anew.
  await page.evaluate(() => {
    const first = document.getElementById("first");
    document.body.append(first);
  });
  await frame("first").locator("[data-testid='node'] [data-testid='pod'][data-ready='true']").nth(1).waitFor({ timeout: 60_000 });
});

test("a manifest that nobody answers for is said to be missing", async (t) => {
  const guide = GUIDE.replace('src="config.yaml"', 'src="data:,"').replace("<script", `<script>
    const fetched = fetch;
    globalThis.fetch = (it, init) => (String(it) === "data:," ? Promise.reject(new TypeError("no way")) : fetched(it, init));
  </script><script`);
  const page = await openPage(t, { at: "../../docs/guide.html", pages: { "docs/guide.html": ["text/html", guide] } });
  await page.locator("#second").scrollIntoViewIfNeeded();
  await page.locator("#second").locator("iframe").contentFrame().getByText("# data:, cannot be loaded: no way").first().waitFor({ timeout: 60_000 });
});

test("a frame shows the console, and says what it does not know", async (t) => {
  const page = await openPage(t, { at: "?embed=1&view=console&nodes=many", width: 700, height: 420 });
  await page.getByTestId("console-input").waitFor({ timeout: 60_000 });
  await page.getByTestId("toast").getByText("nodes=many is not a number from 1 to 100.").waitFor();
});

/** A page that speaks to frames itself. */
const FRAMES = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>Frames</title><link rel="icon" href="data:," /></head>
  <body style="margin: 0"></body>
</html>
`;

test("the page around a frame asks it, and no other window does", async (t) => {
  const page = await openPage(t, { at: "../../docs/frames.html", isForeign: true, pages: { "docs/frames.html": ["text/html", FRAMES] } });
  const query = "?embed=1&view=split&theme=dark&readonly=1&lang=en&nodes=2";
  const said = await page.evaluate(async ([address, text]) => {
    const frame = document.createElement("iframe");
    const answers = new Map();
    const ready = new Promise((resolve) => {
      addEventListener("message", ({ source, origin, data }) => {
        if (source !== frame.contentWindow || origin !== new URL(address).origin || data.drydock !== 1) return;
        if (data.event === "ready") resolve();
        answers.get(data.id)?.(data);
      });
    });
    Object.assign(frame, { src: address, width: 900, height: 420 });
    document.body.append(frame);
    await ready;
    let id = 0;
    const ask = (method, params) =>
      new Promise((resolve) => {
        answers.set(++id, ({ result, error }) => resolve(error === undefined ? result : { error }));
        frame.contentWindow.postMessage({ drydock: 1, id, method, params }, "*");
      });
    const res = {
      apply: await ask("apply", { text }),
      text: await ask("text"),
      clock: (await ask("pause"), await ask("advance", { until: "2026-01-01T12:00:00Z" })).status?.time,
      backwards: await ask("advance", { to: "yesterday" }),
      kubectl: await ask("kubectl", { args: "get configmap of-a-frame -o name" }),
      waits: (await ask("play"), await ask("kubectl", { args: "run one --image=registry.k8s.io/pause:3.10" }), await ask("kubectl", { args: "wait pod one --for=condition=Ready" })),
      removed: await ask("kubectl", { args: "delete pod one --grace-period=1" }),
      nothing: await ask("kubectl", { args: "get pods none" }),
      fetched: await ask("fetch", { path: "/api/v1/namespaces/default/configmaps/of-a-frame" }),
      patched: await ask("fetch", {
        path: "/api/v1/namespaces/default/configmaps/of-a-frame",
        method: "PATCH",
        headers: { "content-type": "application/merge-patch+json" },
        body: '{"data": {"key": "value"}}',
      }),
      watched: await ask("fetch", { path: "/api/v1/pods?watch=true" }),
      unknown: await ask("format", {}),
      snapshot: await ask("snapshot"),
    };
    // A sibling has a handle on the frame, and is not answered.
    const sibling = document.createElement("iframe");
    document.body.append(sibling);
    const { contentWindow: other } = sibling;
    other.heard = 0;
    other.addEventListener("message", () => other.heard++);
    const script = other.document.createElement("script");
    script.text = 'parent.frames[0].postMessage({ drydock: 1, id: 1, method: "text" }, "*")';
    other.document.body.append(script);
    await ask("text");
    return { ...res, heard: other.heard };
  }, [siteUrl() + query, config("of-a-frame")]);
  const frame = page.locator("iframe").first().contentFrame();
  assert.equal(await frame.locator("html").getAttribute("data-theme"), "dark");
  await frame.locator(".cm-content").click();
  await page.keyboard.type("typed");
  assert.doesNotMatch(await frame.locator(".cm-content").textContent(), /typed/);
  assert.equal(await frame.getByTestId("node").count(), 2);
  assert.equal(said.apply, "configmap/of-a-frame created");
  assert.equal(said.text, config("of-a-frame"));
  assert.match(said.clock, /^2026-01-01T12:00:00/);
  assert.match(said.backwards.error, /Unsupported value: "yesterday": supported values: "idle", "nextEvent"/);
  assert.match(said.kubectl, /^configmap\/of-a-frame\n$/);
  assert.equal(said.waits, "pod/one condition met\n");
  assert.equal(said.removed, 'pod "one" deleted from default namespace\n');
  assert.match(said.nothing.error, /pods "none" not found/);
  assert.deepEqual([said.fetched.status, JSON.parse(said.fetched.body).metadata.name], [200, "of-a-frame"]);
  assert.deepEqual([said.patched.status, JSON.parse(said.patched.body).data], [200, { key: "value" }]);
  assert.equal(said.watched.status, 400);
  assert.deepEqual(said.unknown, { error: "there is no method format" });
  assert.equal(said.heard, 0);
  // What a frame has come to can be opened elsewhere.
  await page.evaluate((address) => {
    document.body.innerHTML = `<iframe width="900" height="420" src="${address}"></iframe>`;
  }, `${siteUrl()}?embed=1#${said.snapshot}`);
  await frame.locator("html[data-ready='true']").waitFor({ state: "attached", timeout: 60_000 });
  await frame.getByText("of-a-frame").first().waitFor();
  await frame.locator("[data-testid='clock'][data-time*='12:00:0']").waitFor();
});

test("a lazy frame runs when somebody sees it", async (t) => {
  const frames = FRAMES.replace("</body>", `<p style="height: 3000px">Far above</p><iframe src="${siteUrl()}?embed=1&lazy=1&lang=fr"></iframe></body>`);
  const page = await openPage(t, { at: "../../docs/frames.html", pages: { "docs/frames.html": ["text/html", frames] } });
  const frame = page.locator("iframe").contentFrame();
  await page.waitForLoadState("load");
  await page.waitForTimeout(1_000);
  assert.equal(await frame.locator("main").count(), 0);
  await page.locator("iframe").scrollIntoViewIfNeeded();
  await frame.locator("html[data-ready='true']").waitFor({ state: "attached", timeout: 60_000 });
  await frame.getByTestId("toast").getByText("This page does not speak fr, but English.").waitFor();
});
