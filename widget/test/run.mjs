// Bundles each test for Node and runs them all: Node 20 does not read TypeScript.

import { build } from "esbuild";
import { spawnSync } from "node:child_process";
import { readdir, rm } from "node:fs/promises";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const out = here + "../node_modules/.cache/test";
const names = (await readdir(here)).filter((name) => name.endsWith(".test.ts"));

await rm(out, { recursive: true, force: true });
await build({
  entryPoints: names.map((name) => here + name),
  outdir: out,
  outExtension: { ".js": ".mjs" },
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20",
  external: ["commonmark-spec"],
  define: { LOCALES: '"de"', ROOT: JSON.stringify(here + "../../") },
});
const files = names.map((name) => `${out}/${name.replace(".ts", ".mjs")}`);
process.exit(spawnSync(process.execPath, ["--test", ...files], { stdio: "inherit" }).status ?? 1);
