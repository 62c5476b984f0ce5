// Builds ../widget_dist: the launcher, the same as an ES module with its types, the panel and its parts, their source maps and
// compressed forms, and the locale packs.
// `node build.mjs --out DIR` builds elsewhere, so that CI can compare.

import { build, transform } from "esbuild";
import { minify } from "terser";
import { createHash } from "node:crypto";
import { copyFile, mkdir, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { argv } from "node:process";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const at = argv.indexOf("--out");
const out = at > 0 ? argv[at + 1] : here("../widget_dist");

// adoptedStyleSheets decide: nothing older can run the widget.
const TARGET = ["chrome111", "firefox119", "safari16.4"];

const MODULE = "src/module/index.ts";

const css = {
  name: "css",
  setup({ onLoad }) {
    onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: TARGET });
      return { contents: code.trim().replace(/ (\*) |([:,]) /g, "$1$2"), loader: "text" };
    });
  },
};

const packs = (await readdir(here("locales"))).sort();
await rm(out, { recursive: true, force: true });
await mkdir(out + "/locales", { recursive: true });

const read = async (name) => JSON.parse(await readFile(here("locales/" + name), "utf8"));
for (const name of packs) {
  await writeFile(`${out}/locales/${name}`, JSON.stringify(await read(name)));
}

// Bundles one file; `name` is its own, or ends in `*`, for a hash of what it holds.
async function bundle(entry, format, name, define, mangleProps) {
  const { outputFiles } = await build({
    entryPoints: [here(entry)],
    outfile: here("../widget_dist/bundle.js"), // wherever it is written: the map's paths depend on it
    write: false,
    bundle: true,
    minifySyntax: true,
    minifyIdentifiers: true,
    // Its comments are for bundlers that take the module into their own.
    minifyWhitespace: entry != MODULE,
    sourcemap: "external",
    format,
    target: TARGET,
    mangleProps,
    tsconfigRaw: { compilerOptions: { target: "ES2022", alwaysStrict: false } },
    define,
    plugins: [css],
  });
  const [map, bundled] = outputFiles;
  // A second pass: what terser folds that esbuild leaves is 3 % of the compressed size.
  const { code, map: finalMap } = await minify(bundled.text, {
    ecma: 2022,
    module: format == "esm",
    compress: { passes: 3, unsafe_arrows: true, pure_getters: true, keep_fargs: false, hoist_funs: format == "iife" },
    // Pages of any charset may carry the script.
    format: { ascii_only: true, comments: entry == MODULE && /webpackIgnore|@vite-ignore/ },
    sourceMap: { content: map.text, includeSources: true },
  });
  const file = name.replace("*", createHash("sha256").update(code).digest("hex").slice(0, 8) + ".js");
  const bytes = Buffer.from(code);
  const gz = gzipSync(bytes, { level: 9 });
  const br = brotliCompressSync(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length } });
  await writeFile(`${out}/${file}`, code);
  await writeFile(`${out}/${file}.map`, finalMap);
  await writeFile(`${out}/${file}.gz`, gz);
  await writeFile(`${out}/${file}.br`, br);
  console.log(`${file}: ${bytes.length} B, gzip ${gz.length} B, brotli ${br.length} B`);
  return file;
}

// Names that only the panel's own objects have: neither the wire, the browser nor the launcher knows them.
const OWN = /^(live|busy|trouble|until|node|blocks|known|grounds|stream|draw|sent|streamed|answered|changed|takeIndent|takeMark|takeQuote|readEarlier|painted|begun|closes|opens|ended|likely|marker|blank|indent|references|resume|speak|rate|trees|lines)$/;
const parts = {};
for (const part of ["people", "markdown", "sources"])
  parts[`${part.toUpperCase()}_FILE`] = JSON.stringify(await bundle(`src/${part}/index.ts`, "esm", `${part}.*`, {}, part == "markdown" ? OWN : undefined));
const panel = await bundle("src/start.ts", "esm", "panel.*", parts, OWN);
const names = { PANEL: JSON.stringify(panel), LOCALES: JSON.stringify(packs.map((name) => name.replace(".json", "")).join("|")) };
await bundle("src/launcher/index.ts", "iife", "chat-widget.js", names, /^(mount|wish)$/);
await bundle(MODULE, "esm", "perch.js", names);
await copyFile(here("src/module/perch.d.ts"), out + "/perch.d.ts");
