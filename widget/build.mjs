// Builds ../widget_dist: the script, its source map, both compressed forms, and the locale packs.
// `node build.mjs --out DIR` builds elsewhere, so that CI can compare.

import { build, transform } from "esbuild";
import { mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const at = argv.indexOf("--out");
const out = at > 0 ? argv[at + 1] : here("../widget_dist");

const css = {
  name: "css",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: "safari16.4" });
      return { contents: code.trim(), loader: "text" };
    });
  },
};

const packs = (await readdir(here("locales"))).sort();
await rm(out, { recursive: true, force: true });
await mkdir(out + "/locales", { recursive: true });

await build({
  entryPoints: [here("src/index.ts")],
  outfile: out + "/chat-widget.js",
  absWorkingDir: here("."),
  bundle: true,
  minify: true,
  sourcemap: true,
  format: "iife",
  target: ["chrome111", "firefox113", "safari16.4"],
  charset: "utf8",
  define: { LOCALES: JSON.stringify(packs.map((name) => name.replace(".json", "")).join(" ")) },
  plugins: [css],
});

for (const name of packs) {
  const pack = JSON.parse(await readFile(here("locales/" + name), "utf8"));
  await writeFile(`${out}/locales/${name}`, JSON.stringify(pack));
}

const script = await readFile(out + "/chat-widget.js");
const gz = gzipSync(script, { level: 9 });
const br = brotliCompressSync(script, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: script.length } });
await writeFile(out + "/chat-widget.js.gz", gz);
await writeFile(out + "/chat-widget.js.br", br);
console.log(`chat-widget.js: ${script.length} B, gzip ${gz.length} B, brotli ${br.length} B, ${packs.length} locale packs`);
