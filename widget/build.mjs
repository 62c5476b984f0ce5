// Builds ../widget_dist: the script, its source map, both compressed forms, and the locale packs.
// `node build.mjs --out DIR` builds elsewhere, so that CI can compare.

import { build, transform } from "esbuild";
import { minify } from "terser";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const at = argv.indexOf("--out");
const out = at > 0 ? argv[at + 1] : here("../widget_dist");

// adoptedStyleSheets decide: nothing older can run the widget.
const TARGET = ["chrome111", "firefox119", "safari16.4"];

const css = {
  name: "css",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: TARGET });
      return { contents: code.trim().replaceAll(": ", ":"), loader: "text" };
    });
  },
};

const packs = (await readdir(here("locales"))).sort();
await rm(out, { recursive: true, force: true });
await mkdir(out + "/locales", { recursive: true });

const { outputFiles } = await build({
  entryPoints: [here("src/index.ts")],
  outfile: here("../widget_dist/chat-widget.js"), // wherever it is written: the map's paths depend on it
  write: false,
  bundle: true,
  minify: true,
  sourcemap: "external",
  format: "iife",
  target: TARGET,
  // Names that only our own objects have: neither the wire nor the browser knows them.
  mangleProps: /^(live|busy|trouble|wait|until|node|sources|rate|speak|stream|draw|panel|sent|mount|onLeave|api)$/,
  tsconfigRaw: { compilerOptions: { target: "ES2022", alwaysStrict: false } },
  define: { LOCALES: JSON.stringify(packs.map((name) => name.replace(".json", "")).join(" ")) },
  plugins: [css],
});
const [map, bundle] = outputFiles;
// A second pass: what terser folds that esbuild leaves is 3 % of the compressed size.
const { code: script, map: finalMap } = await minify(bundle.text, {
  ecma: 2020,
  compress: { passes: 3, unsafe_arrows: true, pure_getters: true, keep_fargs: false },
  format: { ascii_only: true }, // pages of any charset may carry the script
  sourceMap: { content: map.text, filename: "chat-widget.js", url: "chat-widget.js.map", includeSources: true },
});
await writeFile(out + "/chat-widget.js", script);
await writeFile(out + "/chat-widget.js.map", finalMap);

for (const name of packs) {
  const pack = JSON.parse(await readFile(here("locales/" + name), "utf8"));
  await writeFile(`${out}/locales/${name}`, JSON.stringify(pack));
}

const bytes = Buffer.from(script);
const gz = gzipSync(bytes, { level: 9 });
const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
await writeFile(out + "/chat-widget.js.gz", gz);
await writeFile(out + "/chat-widget.js.br", br);
console.log(`chat-widget.js: ${bytes.length} B, gzip ${gz.length} B, brotli ${br.length} B, ${packs.length} locale packs`);
