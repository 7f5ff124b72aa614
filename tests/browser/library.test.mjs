// Clusters for scripts: `createCluster` in a page that knows nothing of ours.
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { openPage, siteUrl } from "./harness.mjs";

/** It allows scripts and workers of its own, and nothing else. */
const PAGE = `<!doctype html>
<html lang="en">
  <head><meta charset="utf-8" /><title>A page</title><link rel="icon" href="data:," />
  <meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'self'; worker-src 'self'; img-src data:" /></head>
  <body></body>
</html>
`;

const WEB = `apiVersion: apps/v1
kind: Deployment
metadata: {name: web}
spec:
  replicas: 3
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      containers:
      - {name: main, image: "registry.k8s.io/pause:3.10"}
`;

/** Runs a function in such a page, with the manifest; it finds the module as `drydock`. */
async function inPage(t, run, options = {}) {
  const page = await openPage(t, { at: "../../docs/page.html", pages: { "docs/page.html": ["text/html", PAGE] }, ...options });
  await page.evaluate(async (site) => {
    globalThis.drydock = await import(new URL("drydock.js", site));
    /** What a promise is rejected with. */
    globalThis.refused = (promise) =>
      promise.then(
        (done) => ({ done }),
        ({ name, message, code, output, problems }) => ({ name, message, code, output, problems }),
      );
  }, siteUrl());
  return page.evaluate(run, WEB);
}

test("a script has clusters that are alike and know nothing of each other", async (t) => {
  const seen = await inPage(t, async (web) => {
    const options = { machines: 2, seed: 7, manifests: web };
    const [one, two, other] = await Promise.all([options, options, { ...options, seed: 8 }].map(drydock.createCluster));
    const res = { nodes: await one.kubectl("get nodes -o name"), pods: [], prints: [] };
    const clock = await one.advance({ seconds: 30 });
    res.time = clock.status.time;
    for (const cluster of [two, other]) await cluster.advance({ seconds: 30 });
    for (const cluster of [one, two, other]) {
      res.pods.push(await cluster.kubectl(["get", "pods", "--no-headers", "-o", "custom-columns=N:.metadata.name,P:.status.phase"]));
      res.prints.push(await cluster.fingerprint());
    }
    res.applied = await two.apply("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: only-here}\n");
    res.prints.push(await one.fingerprint(), await two.fingerprint());
    for (const cluster of [one, two, other]) cluster.dispose();
    return res;
  });
  assert.equal(seen.nodes, "node/node-1\nnode/node-2\n");
  assert.match(seen.time, /^2026-01-01T09:00:3\d/);
  assert.match(seen.pods[0], /^(web-\S+ +Running\n){3}$/);
  assert.equal(seen.pods[1], seen.pods[0]);
  assert.notEqual(seen.pods[2], seen.pods[0]);
  const [one, two, other, oneLater, twoLater] = seen.prints;
  assert.match(one, /^[0-9a-f]{16}$/);
  assert.equal(one, two);
  assert.notEqual(one, other);
  assert.equal(seen.applied, "configmap/only-here created\n");
  assert.equal(oneLater, one);
  assert.notEqual(twoLater, two);
});

test("a script asks the API server as with fetch, and watches", async (t) => {
  const seen = await inPage(t, async (web) => {
    const cluster = await drydock.createCluster({ machines: 1 });
    const res = {};
    const version = await cluster.fetch("/version");
    res.version = [version.status, version.headers.get("content-type"), (await version.json()).gitVersion];
    const missing = await cluster.fetch(new URL("http://elsewhere/api/v1/namespaces/default/pods/none"));
    res.missing = [missing.status, missing.ok, (await missing.json()).message];
    const post = { method: "POST", headers: { "content-type": "application/yaml" }, body: web };
    res.made = (await cluster.fetch("/apis/apps/v1/namespaces/default/deployments", post)).status;
    const deletion = await cluster.fetch("/api/v1/namespaces/default/configmaps/kube-root-ca.crt", { method: "DELETE" });
    res.deleted = [deletion.status, (await deletion.json()).status];
    res.head = await (await cluster.fetch("/healthz", { method: "HEAD" })).text();

    // Time passes while the body is read.
    const stop = new AbortController();
    const watch = await cluster.fetch("/api/v1/pods?watch=true", { signal: stop.signal });
    res.watch = [watch.status, watch.body instanceof ReadableStream];
    const reader = watch.body.pipeThrough(new TextDecoderStream()).getReader();
    const passing = cluster.advance({ to: "idle" });
    let text = "";
    while ((text.match(/"phase":"Running"/g) ?? []).length < 3) {
      const { value, done } = await reader.read();
      if (done) throw new Error("the watch has ended");
      text += value;
    }
    await passing;
    res.types = [...new Set(text.match(/(?<=^\{"type":")\w+/gm))];
    stop.abort();
    res.aborted = await reader.read().catch((it) => it.name);

    // A body that is no longer wanted; one that ends by itself; one that was never wanted.
    const unread = await cluster.fetch("/api/v1/pods?watch=true");
    await unread.body.cancel();
    res.short = await (await cluster.fetch("/api/v1/nodes?watch=true&timeoutSeconds=1&resourceVersion=0")).text().then((it) => it.split("\n").length);
    const end = new AbortController();
    const whole = (await cluster.fetch("/api/v1/pods?watch=true", { signal: end.signal })).text();
    end.abort(new Error("enough"));
    res.whole = await refused(whole);
    res.never = await refused(cluster.fetch("/api", { signal: AbortSignal.abort() }));
    const logs = await cluster.fetch("/api/v1/namespaces/default/pods/none/log");
    res.logs = [logs.status, (await logs.json()).reason];
    cluster.dispose();
    return res;
  });
  assert.deepEqual(seen.version, [200, "application/json", "v1.36.2"]);
  assert.deepEqual(seen.missing, [404, false, 'pods "none" not found']);
  assert.equal(seen.made, 201);
  assert.deepEqual(seen.deleted, [200, "Success"]);
  assert.equal(seen.head, "");
  assert.deepEqual(seen.watch, [200, true]);
  assert.deepEqual(seen.types, ["ADDED", "MODIFIED"]);
  assert.equal(seen.aborted, "AbortError");
  assert.ok(seen.short >= 2);
  assert.equal(seen.whole.message, "enough");
  assert.equal(seen.never.name, "AbortError");
  assert.deepEqual(seen.logs, [404, "NotFound"]);
});

test("a script lets time pass, and commands that wait do", async (t) => {
  const seen = await inPage(t, async (web) => {
    const cluster = await drydock.createCluster({ machines: 1 });
    const res = { events: [] };
    const stop = cluster.on("change", (it) => res.events.push(it));
    res.applied = await cluster.kubectl("kubectl apply -f -", { stdin: web });
    res.rollout = await cluster.kubectl("rollout status deployment/web");
    stop();
    res.n = res.events.length;
    await cluster.advance({ until: "2026-01-01T10:00:00Z" });
    res.events = res.events.flatMap((it) => it.changes).map((it) => `${it.type} ${it.apiVersion} ${it.kind} ${it.namespace}/${it.name}`);
    res.clock = (await cluster.advance({ to: "nextEvent" })).status.time;
    const waiting = new AbortController();
    res.paused = await refused(cluster.kubectl("get pods --watch"));
    // By the wall clock it goes on by itself, and commands can be given up.
    await cluster.kubectl(["patch", "clock", "cluster", "--type=merge", "-p", '{"spec":{"speed":"60"}}']);
    const watch = refused(cluster.kubectl("get pods --watch", { signal: waiting.signal }));
    await cluster.apply(web.replace("replicas: 3", "replicas: 1"));
    res.scaled = await cluster.kubectl("rollout status deployment/web");
    waiting.abort();
    res.given = await watch;
    cluster.dispose();
    return res;
  });
  assert.equal(seen.applied, "deployment.apps/web created\n");
  assert.match(seen.rollout, /successfully rolled out\n$/);
  assert.ok(seen.events.includes("ADDED apps/v1 Deployment default/web"), seen.events.join("\n"));
  assert.ok(seen.events.some((it) => it.startsWith("MODIFIED v1 Pod default/web-")));
  assert.match(seen.clock, /^2026-01-01T1\d:/);
  assert.equal(seen.paused.code, 130);
  assert.match(seen.paused.output, /^NAME .*\nweb-/);
  assert.match(seen.scaled, /successfully rolled out/);
  assert.equal(seen.given.name, "AbortError");
});

test("a cluster is saved and goes on", async (t) => {
  const seen = await inPage(t, async (web) => {
    const cluster = await drydock.createCluster({ machines: 2, seed: 3, manifests: [web, "apiVersion: v1\nkind: Namespace\nmetadata: {name: mine}"] });
    await cluster.advance({ seconds: 1 });
    const snapshot = await cluster.snapshot();
    const again = await drydock.createCluster({ snapshot });
    const res = { begin: await Promise.all([cluster.fingerprint(), again.fingerprint()]) };
    for (const it of [cluster, again]) {
      await it.advance({ seconds: 60 });
      await it.kubectl("delete pods --all");
      await it.advance({ seconds: 3_600 });
    }
    res.end = await Promise.all([cluster.fingerprint(), again.fingerprint()]);
    res.damaged = await refused(drydock.createCluster({ snapshot: "{}" }));
    res.both = await refused((async () => drydock.createCluster({ snapshot, machines: 1 }))());
    const faster = await drydock.createCluster({ snapshot, speed: "max" });
    res.speed = await faster.kubectl("get clock cluster -o jsonpath={.spec.speed}");
    for (const it of [cluster, again, faster]) it.dispose();
    return res;
  });
  assert.equal(seen.begin[0], seen.begin[1]);
  assert.equal(seen.end[0], seen.end[1]);
  assert.notEqual(seen.begin[0], seen.end[0]);
  assert.equal(seen.damaged.message, "this was not saved by Drydock");
  assert.equal(seen.both.message, "a snapshot has its own machines and seed");
  assert.equal(seen.speed, "max");
});

test("what a cluster refuses it refuses in the server's words", async (t) => {
  const seen = await inPage(t, async (web) => {
    const { createCluster } = drydock;
    const wrong = (options) => refused((async () => createCluster(options))());
    const bad = web.replace("app: web}}\n  template", "app: other}}\n  template");
    const res = [
      await wrong({ machine: 3 }),
      await wrong({ machines: -1 }),
      await wrong({ seed: 2n ** 64n }),
      await wrong({ manifests: bad }),
      await wrong({ manifests: "a: [" }),
      await wrong({ speed: "fast" }),
    ];
    const cluster = await createCluster({ machines: 0 });
    res.push(
      await refused(cluster.apply(`apiVersion: v1\nkind: ConfigMap\nmetadata: {name: fine}\n---\n${bad}`)),
      await refused(cluster.kubectl("get pods none")),
      await refused(cluster.kubectl("nonsense")),
      await refused(cluster.kubectl('get "pods')),
      await refused(cluster.kubectl("get pods | head")),
      await refused(cluster.kubectl("edit deployment web")),
      await refused(cluster.advance({ seconds: -1 })),
      await refused(cluster.advance({ seconds: 1, to: "idle" })),
      await refused((async () => cluster.on("nothing", () => {}))()),
    );
    const waits = cluster.fetch("/api/v1/pods?watch=1").then((it) => it.body.getReader().read());
    await cluster.fetch("/api");
    const late = [refused(waits), refused(cluster.kubectl("get nodes"))];
    cluster.dispose();
    cluster.dispose();
    res.push(...(await Promise.all(late)), await refused(cluster.fetch("/api")));
    const [{ output, problems }] = res.filter((it) => it.output);
    return { words: res.map((it) => `${it.name} ${it.code ?? "-"}: ${it.message}`), output, problems };
  });
  assert.equal(seen.output, "configmap/fine created\n");
  assert.deepEqual(seen.problems.map((it) => [it.line, it.column, it.isWarning]), [[12, 16, false]]);
  const selector = "spec.template.metadata.labels: Invalid value: {\"app\":\"web\"}: `selector` does not match template `labels`";
  const clock = 'Clock.sim.drydock.dev "cluster" is invalid';
  assert.deepEqual(seen.words, [
    "TypeError -: there is no option machine; there are machines, seed, manifests, speed, snapshot",
    "RangeError -: machines is a whole number from 0 to 5000",
    "RangeError -: seed is a whole number below 2^64",
    `DrydockError 1: The Deployment "web" is invalid: ${selector}`,
    "DrydockError 1: yaml: line 1: did not find expected node content",
    `DrydockError 422: ${clock}: spec.speed: Invalid value: "fast": must be a whole number or 'max'`,
    `DrydockError 1: The Deployment "web" is invalid: ${selector}`,
    'DrydockError 1: Error from server (NotFound): pods "none" not found',
    'DrydockError 1: error: unknown command "nonsense" for "kubectl"',
    "DrydockError 1: a quote is not closed",
    "DrydockError 1: there is no shell here, so | has no meaning; this line is for kubectl alone",
    'DrydockError 1: Error from server (NotFound): deployments.apps "web" not found',
    `DrydockError 422: ${clock}: seconds: Invalid value: -1: must be a number of seconds that is not negative`,
    "DrydockError 400: exactly one of `seconds`, `until` and `to` is wanted",
    "TypeError -: there is no event nothing; there is change",
    "DrydockError 0: the cluster was disposed of",
    "DrydockError 0: the cluster was disposed of",
    "DrydockError 0: the cluster was disposed of",
  ]);
});

test("a page of another origin has clusters, too", async (t) => {
  const { origin } = new URL(siteUrl());
  const policy = `default-src 'none'; script-src ${origin} 'wasm-unsafe-eval'; connect-src ${origin}; worker-src blob: ${origin}; img-src data:`;
  const page = PAGE.replace(/default-src [^"]*/, policy);
  const options = { isForeign: true, pages: { "docs/page.html": ["text/html", page] } };
  const nodes = await inPage(
    t,
    async () => {
      const cluster = await drydock.createCluster();
      const nodes = await cluster.kubectl("get nodes -o name");
      cluster.dispose();
      return nodes;
    },
    options,
  );
  assert.equal(nodes, "node/node-1\nnode/node-2\nnode/node-3\n");
});

test("the example of the README runs", async (t) => {
  const readme = await readFile(new URL("../../README.md", import.meta.url), "utf8");
  const [example] = readme.match(/<pre id="shown">[^]*?<\/script>/);
  const page = `<!doctype html><html lang="en"><head><title>A page</title><link rel="icon" href="data:," /></head><body>${example}</body></html>`;
  const here = page.replace("https://example.com/drydock/", siteUrl());
  const opened = await openPage(t, { at: "../../docs/example.html", pages: { "docs/example.html": ["text/html", here] } });
  const shown = opened.locator("#shown");
  await shown.getByText(/^NAME .*\n(web-\S+ +1\/1 +Running .*\n){3}\{"type":"ADDED"/).waitFor({ timeout: 30_000 });
  await opened.waitForFunction(() => document.getElementById("shown").textContent.match(/"type":"ADDED"/g).length === 5);
});
