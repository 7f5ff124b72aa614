// `createCluster`: a cluster of its own for a script, with its engine in a worker of its own.
import { Reader, Writer } from "./wire.js";

/** Numbers of `Ask::Call`, `Call` and `Return` in `web/src`. */
const CALL = 23;
const CREATE = 0;
const FETCH = 1;
const CLOSE = 2;
const APPLY = 3;
const KUBECTL = 4;
const ADVANCE = 5;
const SNAPSHOT = 6;
const FINGERPRINT = 7;
const LISTEN = 8;
const DONE = 0;
const FAILED = 1;
const HEAD = 2;
const CHUNK = 3;
const SAVED = 4;
const CHANGED = 5;

const OPTIONS = ["machines", "seed", "manifests", "speed", "snapshot"];
const MACHINES = 3;
const MACHINES_MAX = 5_000;
const SEED = 1;
/** Bytes that a stream may hold which nobody has read. */
const UNREAD_MAX = 16 << 20;
/** Only paths matter; relative ones need something to be relative to. */
const SERVER = "http://drydock/";

/** A refusal, in the words of who refuses. */
export class DrydockError extends Error {
  name = "DrydockError";

  constructor({ message, code = 0, output = "", problems = [] }) {
    super(message);
    /** The exit code of a command, or the code of the server's answer. */
    this.code = code;
    /** What was printed before. */
    this.output = output;
    /** Where in a manifest, from 1: `{ line, column, message, isWarning }`. */
    this.problems = problems;
  }
}

/** A promise of a cluster whose machines are Ready and that has the manifests. */
export function createCluster(options = {}) {
  return Cluster.create(options);
}

class Cluster {
  #worker = startWorker();
  #nCalls = 0;
  /** What waits for an answer: `{ resolve, reject }` by id. */
  #calls = new Map();
  /** Bodies that go on, by the id of the call. */
  #feeds = new Map();
  #listeners = new Set();
  /** Calls go out in the order in which they were made; the first when the engine is loaded. */
  #last;
  /** Why nothing can be asked any more. */
  #end = null;

  constructor() {
    const stop = (why) => this.#stop(new DrydockError({ message: `the engine stopped: ${why}` }));
    this.#worker.onerror = (event) => {
      event.preventDefault();
      stop(event.message || "it cannot be loaded");
    };
    this.#last = new Promise((resolve) => {
      this.#worker.onmessage = ({ data }) => {
        // Bytes that come so early are for the page.
        if (data instanceof ArrayBuffer) return;
        if (data.error) stop(data.error);
        this.#worker.onmessage = ({ data }) => this.#hear(new Reader(data));
        resolve();
      };
    });
  }

  static async create(options) {
    const put = creation(options);
    const cluster = new Cluster();
    try {
      await cluster.#call(CREATE, put);
    } catch (error) {
      cluster.dispose();
      throw error;
    }
    return cluster;
  }

  /** As the global function of this name; the body of a watch goes on. */
  async fetch(path, init) {
    const request = new Request(path instanceof Request ? path : new URL(path, SERVER), init);
    const { method, signal } = request;
    const { pathname, search, searchParams } = new URL(request.url);
    const headers = new Headers(request.headers);
    if (!headers.has("user-agent")) headers.set("user-agent", "drydock.js");
    const body = request.arrayBuffer();
    const put = async (out) => {
      out.text(method).text(pathname + search);
      out.list([...headers], (out, [name, value]) => out.text(name).text(value)).bytes(new Uint8Array(await body));
    };
    const { feed, content, ...head } = await this.#call(FETCH, put, signal);
    feed?.follow(signal, Number(searchParams.get("timeoutSeconds")));
    const isNull = method === "HEAD" || head.status === 204 || head.status === 304;
    return feed ? feed.respond(head) : new Response(isNull ? null : content, head);
  }

  /** As `kubectl apply -f -`; a promise of what that prints. */
  apply(yaml) {
    return this.#call(APPLY, (out) => out.text(String(yaml)));
  }

  /** Runs a command line of kubectl, or its words; a promise of what it prints. */
  kubectl(args, { stdin = "", files = {}, signal } = {}) {
    const [line, words] = Array.isArray(args) ? ["", args.map(String)] : [String(args), []];
    const put = (out) => {
      out.text(line).list(words, (out, it) => out.text(it)).bytes(bytesOf(stdin));
      out.list(Object.entries(files), (out, [name, content]) => out.text(name).bytes(bytesOf(content)));
    };
    return this.#call(KUBECTL, put, signal);
  }

  /** Lets time pass: `{ seconds }`, `{ until }` or `{ to: "nextEvent" | "idle" }`; a promise of the Clock. */
  async advance(what = {}) {
    return JSON.parse(await this.#call(ADVANCE, (out) => out.text(JSON.stringify(what))));
  }

  /** A promise of bytes from which `createCluster({ snapshot })` goes on, to the byte as this cluster does. */
  snapshot() {
    return this.#call(SNAPSHOT);
  }

  /** A promise of a number, in hexadecimal digits, that stands for the whole state. */
  fingerprint() {
    return this.#call(FINGERPRINT);
  }

  /** Calls back for each `change`; answers a function that ends that. */
  on(event, listener) {
    if (event !== "change") throw new TypeError(`there is no event ${event}; there is change`);
    // The same function may be there twice.
    const entry = { listener };
    this.#listeners.add(entry);
    if (this.#listeners.size === 1) this.#tell(LISTEN, 1);
    return () => {
      if (this.#listeners.delete(entry) && this.#listeners.size === 0) this.#tell(LISTEN, 0);
    };
  }

  /** Ends the engine and whatever waits for it. */
  dispose() {
    this.#stop(new DrydockError({ message: "the cluster was disposed of" }));
  }

  #stop(why) {
    if (this.#end) return;
    this.#end = why;
    this.#worker.terminate();
    this.#listeners.clear();
    for (const it of [...this.#calls.values(), ...this.#feeds.values()]) it.reject(why);
    this.#calls.clear();
  }

  async #call(kind, put = () => {}, signal = undefined) {
    signal?.throwIfAborted();
    if (this.#end) throw this.#end;
    const id = this.#nCalls++;
    const answer = new Promise((resolve, reject) => this.#calls.set(id, { resolve, reject }));
    const abort = () => {
      this.#take(id)?.reject(signal.reason);
      this.#tell(CLOSE, id);
    };
    signal?.addEventListener("abort", abort);
    this.#send(kind, (out) => put(out.number(id))).catch((error) => this.#take(id)?.reject(error));
    return answer.finally(() => signal?.removeEventListener("abort", abort));
  }

  /** What needs no answer. */
  #tell(kind, number) {
    this.#send(kind, (out) => out.number(number)).catch(() => {});
  }

  /** Sends a message once those before it are sent. */
  #send(kind, put) {
    const sent = this.#last.then(async () => {
      const out = new Writer().number(CALL).number(kind);
      await put(out);
      if (this.#end) return;
      const buffer = out.done();
      this.#worker.postMessage(buffer, [buffer]);
    });
    // One that cannot be sent does not keep the next from being sent.
    this.#last = sent.catch(() => {});
    return sent;
  }

  #take(id) {
    const res = this.#calls.get(id);
    this.#calls.delete(id);
    return res;
  }

  #hear(message) {
    const kind = message.number();
    if (kind === CHANGED) return this.#onChange(message);
    const id = message.number();
    switch (kind) {
      case DONE:
        return this.#take(id)?.resolve(message.text());
      case FAILED:
        return this.#take(id)?.reject(failureOf(message));
      case HEAD:
        return this.#onHead(id, message);
      case CHUNK:
        return this.#onChunk(id, message);
      case SAVED:
        return this.#take(id)?.resolve(message.bytes().slice());
    }
  }

  #onHead(id, message) {
    const call = this.#take(id);
    // Given up: that was said already.
    if (!call) return;
    const status = message.number();
    const headers = message.list((it) => [it.text(), it.text()]);
    const content = message.bytes();
    const leave = () => this.#feeds.delete(id) && this.#tell(CLOSE, id);
    const feed = message.flag() ? new Feed(leave) : null;
    if (feed) this.#feeds.set(id, feed);
    call.resolve({ status, headers, content, feed });
  }

  #onChunk(id, message) {
    const feed = this.#feeds.get(id);
    const bytes = message.bytes();
    if (bytes.length > 0) feed?.push(bytes);
    if (message.flag() && this.#feeds.delete(id)) feed.close();
  }

  #onChange(message) {
    const revision = message.number();
    const time = message.text();
    const isWhole = message.flag();
    const changes = message.list((it) => {
      const [type, apiVersion, kind, namespace, name] = Array.from({ length: 5 }, () => it.text());
      return { type, apiVersion, kind, namespace, name, revision: it.number() };
    });
    for (const { listener } of [...this.#listeners]) {
      try {
        listener({ revision, time, isWhole, changes });
      } catch (error) {
        reportError(error);
      }
    }
  }
}

/** The body of a watch: it goes on until the engine, its reader or a signal ends it. */
class Feed {
  #controller;
  #leave;
  #unfollow = () => {};
  #why;

  #body = new ReadableStream(
    { start: (it) => void (this.#controller = it), cancel: () => this.#end() },
    new ByteLengthQueuingStrategy({ highWaterMark: UNREAD_MAX }),
  );

  /** `leave` is called when nobody reads any more. */
  constructor(leave) {
    this.#leave = leave;
  }

  /** A response with this body. */
  respond(head) {
    const response = new Response(this.#body, head);
    for (const name of ["arrayBuffer", "blob", "bytes", "json", "text"]) {
      const read = response[name];
      // Of a body that breaks off browsers do not say why it does.
      if (read) response[name] = () => read.call(response).catch((error) => Promise.reject(this.#why ?? error));
    }
    return response;
  }

  /** Ends with a signal, or after some seconds, as servers do; those are the reader's and not the cluster's. */
  follow(signal, seconds) {
    const abort = () => this.reject(signal.reason);
    signal.addEventListener("abort", abort);
    const timer = seconds > 0 ? setTimeout(() => this.close(), seconds * 1_000) : undefined;
    this.#unfollow = () => {
      signal.removeEventListener("abort", abort);
      clearTimeout(timer);
    };
  }

  push(bytes) {
    if (bytes.length <= this.#controller.desiredSize) this.#controller.enqueue(bytes);
    else this.reject(new DrydockError({ message: "the stream was ended: too much of it was not read" }));
  }

  close() {
    this.#end();
    this.#controller.close();
  }

  reject(why) {
    this.#why = why;
    this.#end();
    this.#controller.error(why);
  }

  #end() {
    this.#unfollow();
    this.#leave();
  }
}

function startWorker() {
  const url = new URL("./whole.js", import.meta.url);
  if (url.origin === location.origin) return new Worker(url, { type: "module" });
  // A worker's script has to come from where the page comes from. What it imports need not.
  const script = new Blob([`import ${JSON.stringify(url.href)};`], { type: "text/javascript" });
  return new Worker(URL.createObjectURL(script), { type: "module" });
}

/** Writes the options of a cluster; what is wrong with them is said at once. */
function creation(options) {
  const unknown = Object.keys(options).find((it) => !OPTIONS.includes(it));
  if (unknown) throw new TypeError(`there is no option ${unknown}; there are ${OPTIONS.join(", ")}`);
  const { machines = MACHINES, seed = SEED, manifests = "", speed = "", snapshot = "" } = options;
  if ("snapshot" in options && ("machines" in options || "seed" in options)) {
    throw new TypeError("a snapshot has its own machines and seed");
  }
  if (!Number.isInteger(machines) || machines < 0 || machines > MACHINES_MAX) {
    throw new RangeError(`machines is a whole number from 0 to ${MACHINES_MAX}`);
  }
  if (!/^\d+$/.test(seed) || BigInt(seed) >= 1n << 64n) throw new RangeError("seed is a whole number below 2^64");
  const text = [manifests].flat().join("\n---\n");
  const saved = bytesOf(snapshot);
  return (out) => out.number(machines).number(seed).text(text).text(String(speed)).bytes(saved);
}

function failureOf(message) {
  const code = message.number();
  const text = message.text();
  const output = message.text();
  const problems = message.list((it) => {
    const [line, column, isWarning] = [it.number(), it.number(), it.flag()];
    return { line, column, isWarning, message: it.text() };
  });
  return new DrydockError({ code, message: text, output, problems });
}

/** Of a text or of bytes. */
function bytesOf(content) {
  if (typeof content === "string") return new TextEncoder().encode(content);
  return ArrayBuffer.isView(content)
    ? new Uint8Array(content.buffer, content.byteOffset, content.byteLength)
    : new Uint8Array(content);
}
