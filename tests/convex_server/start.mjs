/**
 * Bundles the test server with the real functions of convex/ and runs it.
 *
 * Its packages are those of convex/, installed there with `npm ci`.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

const HERE = fileURLToPath(new URL(".", import.meta.url));
const PROJECT = fileURLToPath(new URL("../../convex/", import.meta.url));
const FUNCTIONS = join(PROJECT, "functions");

const { build } = createRequire(join(PROJECT, "package.json"))("esbuild");

/** The module map that convex-test wants: it would else glob, as only Vite can. */
const functions = {
  name: "convex-functions",
  setup(bundler) {
    bundler.onResolve({ filter: /^convex-functions$/ }, ({ path }) => ({
      path,
      namespace: "convex-functions",
    }));
    bundler.onLoad({ filter: /.*/, namespace: "convex-functions" }, () => ({
      contents: moduleMap(),
      resolveDir: FUNCTIONS,
    }));
  },
};

function moduleMap() {
  const files = readdirSync(FUNCTIONS).filter((file) => file.endsWith(".ts"));
  const entries = files.map((file) => `"/convex/${file}": () => import("./${file}"),`);
  return `
    import schema from "./schema.ts";
    const modules = {
      "/convex/_generated/api.js": () => import("./_generated/api.js"),
      ${entries.join("\n")}
    };
    export { modules, schema };
  `;
}

const directory = mkdtempSync(join(tmpdir(), "convex-server-"));
const bundle = join(directory, "server.mjs");
try {
  await build({
    entryPoints: [join(HERE, "server.ts")],
    outfile: bundle,
    bundle: true,
    platform: "node",
    format: "esm",
    target: "node20",
    sourcemap: "inline",
    nodePaths: [join(PROJECT, "node_modules")],
    plugins: [functions],
    // convex-test is written for Vite, whose glob it never reaches here.
    logOverride: { "empty-import-meta": "silent" },
  });
  await import(pathToFileURL(bundle));
} finally {
  rmSync(directory, { recursive: true });
}
