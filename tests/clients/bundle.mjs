// Bundles an application of React, Vue or Svelte for the browser, or for Node with --node: node bundle.mjs ENTRY OUT [--node]

import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { compile } from "svelte/compiler";
import { compileScript, parse } from "vue/compiler-sfc";

const { build } = createRequire(new URL("../../widget/package.json", import.meta.url))("esbuild");
const [, , entry, outfile, node] = argv;

const vue = (source) => compileScript(parse(source).descriptor, { id: "recipe", inlineTemplate: true }).content;
const svelte = (source) => compile(source, { generate: node ? "server" : "client" }).js.code;

const components = {
  name: "components",
  setup({ onLoad }) {
    for (const [ending, toScript] of Object.entries({ vue, svelte }))
      onLoad({ filter: new RegExp(`\\.${ending}$`) }, async ({ path }) => ({ contents: toScript(await readFile(path, "utf8")) }));
  },
};

await build({
  entryPoints: [entry],
  outfile,
  bundle: true,
  format: "esm",
  jsx: "automatic",
  platform: node ? "node" : "browser",
  conditions: node ? [] : ["browser"],
  // Packages of Node are asked for by name.
  banner: node ? { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' } : {},
  define: {
    "process.env.NODE_ENV": '"development"',
    __VUE_OPTIONS_API__: "true",
    __VUE_PROD_DEVTOOLS__: "false",
    __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: "false",
  },
  nodePaths: [fileURLToPath(new URL("node_modules", import.meta.url))],
  plugins: [components],
  logLevel: "error",
});
