// Starts the browser that CHROMIUM names.
import { createRequire } from "node:module";

// The packages are those of the page's own folder.
export const require = createRequire(new URL("../../web/js/package.json", import.meta.url));

const FLAGS = [
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
  "--no-first-run",
];

export function launchBrowser() {
  const { chromium } = require("playwright-core");
  const asRoot = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";
  return chromium.launch({ executablePath, args: [...FLAGS, ...asRoot] });
}
