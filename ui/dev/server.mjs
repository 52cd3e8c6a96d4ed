// Serves the built pages and made-up data in the API's shapes: `npm run fixture`, then http://127.0.0.1:8470/app/.
import { createReadStream, existsSync, statSync } from "node:fs";
import { createServer } from "node:http";
import { dirname, extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { answer, live } from "./answers.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "../../src/servitwin/web/ui");
const port = Number(process.env.PORT ?? 8470);
const slow = Number(process.env.FIXTURE_DELAY_MS ?? 0);
const TYPES = { ".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2", ".json": "application/json" };

const server = createServer((request, response) => {
  const url = new URL(request.url ?? "/", "http://localhost");
  if (url.pathname === "/api/v1/events") return live(url, request, response);
  if (url.pathname.startsWith("/api/")) {
    let body = "";
    request.on("data", (piece) => (body += piece));
    request.on("end", () => setTimeout(() => reply(response, answer(request, url, body ? JSON.parse(body) : {})), slow));
    return undefined;
  }
  if (!url.pathname.startsWith("/app/")) {
    response.writeHead(302, { Location: "/app/" });
    return response.end();
  }
  const wanted = normalize(join(root, url.pathname.slice(4)));
  const file = wanted.startsWith(root) && existsSync(wanted) && statSync(wanted).isFile() ? wanted : join(root, "index.html");
  response.writeHead(200, { "Content-Type": TYPES[extname(file)] ?? "application/octet-stream" });
  return createReadStream(file).pipe(response);
});

function reply(response, [status, body, headers = {}]) {
  response.writeHead(status, { "Content-Type": "application/json", ...headers });
  response.end(body === null ? "" : JSON.stringify(body));
}

server.listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${server.address().port}/app/`));
