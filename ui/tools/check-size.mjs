// Fails the build if the shell (what the first page must load) exceeds its budget of compressed bytes.
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const BUDGET = 300_000;
const out = join(dirname(fileURLToPath(import.meta.url)), "../../src/servitwin/web/ui");
const manifest = JSON.parse(readFileSync(join(out, ".vite/manifest.json"), "utf8"));
const seen = new Set();
const files = new Set();

function collect(key) {
  if (seen.has(key)) return;
  seen.add(key);
  const chunk = manifest[key];
  files.add(chunk.file);
  for (const css of chunk.css ?? []) files.add(css);
  for (const next of chunk.imports ?? []) collect(next);
}
for (const [key, chunk] of Object.entries(manifest)) if (chunk.isEntry) collect(key);

let total = 0;
for (const file of [...files].sort()) {
  const size = gzipSync(readFileSync(join(out, file)), { level: 9 }).length;
  total += size;
  console.log(`${String(size).padStart(8)}  ${file}`);
}
console.log(`${String(total).padStart(8)}  shell, compressed (budget ${BUDGET})`);
if (total > BUDGET) {
  console.error("The shell is over its budget: load what the first page does not need on demand.");
  process.exit(1);
}
