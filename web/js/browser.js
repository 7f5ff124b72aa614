// What browsers offer only through promises and events, in the few words that the app needs.

const DATABASE = "drydock";
const TABLE = "kept";

/** Does one thing with the table; without a database (a private window, for one) it fails, and the app says so. */
function withTable(mode, work) {
  return new Promise((resolve, reject) => {
    const opening = indexedDB.open(DATABASE, 1);
    opening.onupgradeneeded = () => opening.result.createObjectStore(TABLE);
    opening.onerror = () => reject(opening.error);
    opening.onsuccess = () => {
      const database = opening.result;
      const transaction = database.transaction(TABLE, mode);
      const request = work(transaction.objectStore(TABLE));
      transaction.oncomplete = () => resolve(request.result);
      transaction.onabort = transaction.onerror = () => reject(transaction.error);
      transaction.addEventListener("complete", () => database.close());
    };
  });
}

/** What was saved under the key, or undefined. */
export const load = (key) => withTable("readonly", (table) => table.get(key));

export const save = (key, bytes) => withTable("readwrite", (table) => table.put(bytes, key));

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

/** Requests `{drydock: 1, id, method, params}` of the page around this frame; `callback(method, params, reply)`. */
export function onRequest(callback) {
  addEventListener("message", ({ data, source }) => {
    if (data?.drydock !== 1 || typeof data.method !== "string" || !source) return;
    const answer = (what) => source.postMessage({ drydock: 1, id: data.id, ...what }, "*");
    callback(
      data.method,
      JSON.stringify(data.params ?? {}),
      (result) => answer({ result }),
      (error) => answer({ error }),
    );
  });
}
