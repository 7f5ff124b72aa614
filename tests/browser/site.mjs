// Serves the built site on the loopback interface, below a path: a static host need not give it the root.
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";

const PREFIX = "/some/where/";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
};

/** Gives { url, pages, close() }; `dist` is the folder of the site, `pages` are others, as { type, body } by path. */
export async function serveSite(dist) {
  const pages = new Map();
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, "http://site");
    const inside = pathname.startsWith(PREFIX) ? normalize("/" + pathname.slice(PREFIX.length)) : null;
    const file = inside && join(dist, inside.endsWith("/") ? inside + "index.html" : inside);
    const page = pages.get(pathname);
    const body = page?.body ?? (file && (await readFile(file).catch(() => null)));
    const type = page?.type ?? (body && TYPES[extname(file)]) ?? "application/octet-stream";
    // Hosts of static pages let other origins read them.
    const headers = { "content-type": type, "cache-control": "no-store", "access-control-allow-origin": "*" };
    response.writeHead(body ? 200 : 404, headers);
    response.end(body ?? "not found");
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${server.address().port}${PREFIX}`;
  const close = () => {
    server.closeAllConnections();
    server.close();
  };
  return { url, pages, close };
}
