// `<drydock-playground>`: the page in a frame, for documentation. See "Embedding" in the README.
//
// What it holds as text is the manifest, which readers without scripts see as such.

import { DrydockError } from "./cluster.js";

const PAGE = new URL("./", import.meta.url);
const HEIGHT = "420px";
/** Attributes that become parameters of the page's address as they are. */
const PARAMETERS = ["view", "theme", "nodes", "lang"];
/** The same, where it only counts whether they are there. */
const FLAGS = ["readonly", "autorun"];

/** Undefined in workers, which have no elements. */
export const Playground = globalThis.HTMLElement && class extends HTMLElement {
  static observedAttributes = ["height", "theme"];

  #frame = null;
  #calls = new Map();
  #ready;
  #isReady = new Promise((resolve) => (this.#ready = resolve));
  #hear = (event) => {
    if (event.source !== this.#frame?.contentWindow || event.origin !== PAGE.origin || event.data?.drydock !== 1) return;
    const { id, event: what, result, error } = event.data;
    if (what === "ready") {
      this.#ready();
      this.dispatchEvent(new Event("ready"));
      return;
    }
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    if (error === undefined) call?.resolve(result);
    else call?.reject(new DrydockError({ message: error }));
  };

  async connectedCallback() {
    addEventListener("message", this.#hear);
    if (this.#frame) return;
    const frame = document.createElement("iframe");
    this.#frame = frame;
    // The page is large: it comes when the reader does.
    frame.loading = "lazy";
    frame.title = this.getAttribute("title") ?? "Kubernetes playground";
    frame.allow = "clipboard-write";
    for (const [name, value] of [["width", "100%"], ["border", "1px solid rgb(127 137 152 / 60%)"], ["border-radius", "6px"], ["box-sizing", "border-box"], ["display", "block"]]) {
      frame.style.setProperty(name, value);
    }
    frame.style.height = lengthOf(this.getAttribute("height"));
    this.style.display ||= "block";
    frame.src = await this.#address();
    (this.shadowRoot ?? this.attachShadow({ mode: "open" })).append(frame);
  }

  disconnectedCallback() {
    removeEventListener("message", this.#hear);
    // A frame that is moved begins anew.
    this.#frame?.remove();
    this.#frame = null;
    this.#isReady = new Promise((resolve) => (this.#ready = resolve));
  }

  attributeChangedCallback(name, _before, value) {
    if (!this.#frame) return;
    if (name === "height") this.#frame.style.height = lengthOf(value);
    else this.#ask("theme", { theme: value ?? "auto" });
  }

  async #address() {
    const address = new URL(PAGE);
    address.searchParams.set("embed", "1");
    for (const name of PARAMETERS) {
      if (this.hasAttribute(name)) address.searchParams.set(name, this.getAttribute(name));
    }
    for (const name of FLAGS) {
      if (this.hasAttribute(name)) address.searchParams.set(name, "1");
    }
    const example = this.getAttribute("example");
    const manifest = example === null ? await this.#manifest() : "";
    if (example !== null) address.hash = `example/${example}`;
    else if (manifest.trim()) address.hash = `manifest/${encodeURIComponent(manifest)}`;
    return address.href;
  }

  /** From another file, or what stands between the tags. */
  async #manifest() {
    if (!this.hasAttribute("src")) return withoutIndent(this.getAttribute("manifest") ?? this.textContent);
    const src = this.getAttribute("src");
    try {
      const response = await fetch(new URL(src, document.baseURI));
      return response.ok ? await response.text() : `# ${src} cannot be loaded: ${response.status}\n`;
    } catch (error) {
      return `# ${src} cannot be loaded: ${error.message}\n`;
    }
  }

  async #ask(method, params = {}) {
    await this.#isReady;
    const id = crypto.randomUUID();
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject });
      this.#frame?.contentWindow.postMessage({ drydock: 1, id, method, params }, PAGE.origin);
    });
  }

  /** Applies a manifest, or the one that is there; a promise of what became of each object, line by line. */
  apply(text) {
    return this.#ask("apply", text === undefined ? {} : { text });
  }

  /** Runs a line of kubectl; a promise of what it printed. */
  kubectl(args) {
    return this.#ask("kubectl", { args });
  }

  /** Asks the cluster's API server; a promise of a `Response`, which is whole: watches are for `createCluster`. */
  async fetch(path, { method, headers, body } = {}) {
    const fields = Object.fromEntries(new Headers(headers));
    const { status, body: content } = await this.#ask("fetch", { path, method, headers: fields, body });
    return new Response(content, { status, headers: { "content-type": "application/json" } });
  }

  /** Lets time pass: `{ seconds }`, `{ until }` or `{ to: "nextEvent" | "idle" }`; a promise of the Clock. */
  advance(what) {
    return this.#ask("advance", what);
  }

  /** A promise of what stands after the `#` of an address that goes on from here. */
  snapshot() {
    return this.#ask("snapshot");
  }

  /** A promise of the manifest as it is now. */
  text() {
    return this.#ask("text");
  }

  setText(text) {
    return this.#ask("setText", { text });
  }

  pause() {
    return this.#ask("pause");
  }

  play() {
    return this.#ask("play");
  }

  /** A fresh cluster; the manifest stays. */
  reset() {
    return this.#ask("reset");
  }
};

/** Numbers are pixels. */
function lengthOf(height) {
  return height === null ? HEIGHT : /^\d+$/.test(height) ? `${height}px` : height;
}

/** YAML between tags is indented as the HTML around it. */
function withoutIndent(text) {
  const lines = text.replace(/^\s*\n/, "").trimEnd().split("\n");
  const indent = Math.min(...lines.filter((it) => it.trim()).map((it) => it.search(/\S/)), 80);
  return lines.map((it) => it.slice(indent)).join("\n") + "\n";
}
