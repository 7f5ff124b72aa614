// Starts the app. The page has no inline script, so that its policy can forbid them;
// and this is the one place that knows the names of files, which the build mends when it puts hashes into them.
import init from "./app.js";
import * as browser from "./browser.js";
import * as motion from "./motion.js";
import { prepareRest } from "./rest.js";

globalThis.drydock = {
  ...browser,
  ...motion,
  /** A new worker with an engine in it. */
  engine: () => new Worker(new URL("./engine.js", import.meta.url), { type: "module" }),
  /** A promise of an editor inside an element; its code is loaded when it is first asked for. */
  editor: async (host, options) => {
    const { createEditor } = await import("./editor.js");
    return createEditor(host, options, () => import("./extras.js"));
  },
};

// With `lazy=1` a frame waits until somebody sees it.
if (location.search.includes("lazy=1")) {
  await new Promise((resolve) => {
    new IntersectionObserver(([it]) => it.isIntersecting && resolve()).observe(document.documentElement);
  });
}
prepareRest(new URL("./app_rest.wasm", import.meta.url));
await init();
