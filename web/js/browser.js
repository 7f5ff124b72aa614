// What browsers offer only through promises and events, in the few words that the app needs.

const DATABASE = "drydock";
const TABLE = "kept";

/**
 * Does one thing with the table and answers what the function that `work` returns answers once it is done; without a
 * database (a private window, for one) it fails, and the app says so.
 */
function withTable(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(TABLE, mode);
      const answer = work(transaction.objectStore(TABLE));
      transaction.oncomplete = () => resolve(answer());
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
      transaction.addEventListener("complete", () => database.close());
    };
  });
}

/** What was saved last: the state's bytes, the number of the snapshot that it goes on from, and the snapshot. */
export const load = () =>
  withTable("readonly", (table) => {
    const found = ["session", "base-id", "base"].map((key) => table.get(key));
    return () => found.map((it) => it.result);
  });

/**
 * Saves the state and the snapshot that it goes on from in one transaction: either both take the place of what was
 * there or neither does. Another tab may have saved another snapshot.
 */
export const save = (bytes, baseId, base) =>
  withTable("readwrite", (table) => {
    const known = table.get("base-id");
    known.onsuccess = () => {
      if ((known.result ?? 0) !== baseId) {
        table.put(base, "base");
        table.put(baseId, "base-id");
      }
      table.put(bytes, "session");
      table.transaction.commit();
    };
    return () => {};
  });

async function through(stream, bytes) {
  return new Uint8Array(await new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer());
}

/** Bytes, compressed, in the characters that links may hold. */
export async function pack(bytes) {
  const packed = await through(new CompressionStream("deflate-raw"), bytes);
  let text = "";
  for (let at = 0; at < packed.length; at += 0x8000) {
    text += String.fromCharCode(...packed.subarray(at, at + 0x8000));
  }
  return btoa(text).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

export async function unpack(text) {
  const packed = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return through(new DecompressionStream("deflate-raw"), Uint8Array.from(packed, (it) => it.charCodeAt(0)));
}

export const copy = (text) => navigator.clipboard.writeText(text);

export function download(name, text) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([text], { type: "text/yaml" }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** The text of a file that the user chooses; never resolves if none is chosen. */
export function pickFile() {
  return new Promise((resolve, reject) => {
    const input = document.createElement("input");
    input.type = "file";
    input.accept = ".yaml,.yml,.json,.drydock";
    input.onchange = () => input.files[0]?.text().then(resolve, reject);
    input.click();
  });
}

/**
 * Requests `{drydock: 1, id, method, params}` of the page around this frame; `callback(method, params, reply, refuse)`.
 * That page is told `{drydock: 1, event: "ready"}` when there is something to ask.
 *
 * It may be of any origin, since whatever is in the frame came from it or from who looks at it: nothing of a frame is
 * kept, and nothing that is kept is shown in one. Other windows are not heard.
 */
export function onRequest(callback) {
  const root = document.documentElement;
  const tell = (what, origin) => parent.postMessage({ drydock: 1, ...what }, origin);
  const tellReady = () => root.dataset.ready === "true" && tell({ event: "ready" }, "*");
  new MutationObserver(tellReady).observe(root, { attributeFilter: ["data-ready"] });
  tellReady();
  addEventListener("message", ({ data, source, origin }) => {
    if (source !== parent || data?.drydock !== 1 || typeof data.method !== "string") return;
    const { id, method, params = {} } = data;
    // Documents without an origin, in a sandbox for one, have no other name.
    const answer = (what) => tell({ id, ...what }, origin === "null" ? "*" : origin);
    callback(
      method,
      JSON.stringify(params),
      (result) => answer({ result }),
      (error) => answer({ error }),
    );
  });
}
