/** Serves the built page from loopback, on a port of its own: for the gateway it is another origin. */
import { readFile } from "node:fs/promises";
import { createServer } from "node:http";
import { join } from "node:path";

const FILES = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/main.js": ["main.js", "text/javascript; charset=utf-8"],
  "/style.css": ["style.css", "text/css; charset=utf-8"],
};

/** Returns the port, and what stops serving. */
export async function serve(folder, gateway) {
  const { origin } = new URL(gateway);
  const policy = `default-src 'self'; connect-src ${origin}; img-src data: ${origin}; media-src ${origin}`;
  const server = createServer(async (request, response) => {
    const file = FILES[new URL(request.url, "http://page").pathname];
    if (!file) return response.writeHead(404).end();
    const [name, type] = file;
    const headers = { "content-type": type, "content-security-policy": policy, "cache-control": "no-store" };
    response.writeHead(200, headers).end(await readFile(join(folder, name)));
  });
  await new Promise((resolve, reject) => server.once("error", reject).listen(0, "127.0.0.1", resolve));
  const stop = () => {
    server.closeAllConnections();
    return new Promise((resolve) => server.close(resolve));
  };
  return { port: server.address().port, stop };
}
