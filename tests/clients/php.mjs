// Prints the functions that a PHP file calls and the texts in it, as JSON; fails where it is not PHP: node php.mjs FILE

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { argv } from "node:process";

const { Engine } = createRequire(import.meta.url)("php-parser");
const tree = new Engine({ parser: { extractDoc: false } }).parseCode(readFileSync(argv[2], "utf8"));
const calls = new Set();
const entries = {};

const text = (node) => (node.kind === "bin" ? text(node.left) + text(node.right) : node.kind === "string" ? node.value : `{${node.name?.name ?? node.name ?? node.raw ?? node.what?.name}}`);

(function walk(node) {
  if (!node || typeof node !== "object") return;
  if (node.kind === "call" && node.what?.name) calls.add(node.what.name);
  if (node.kind === "entry" && node.key) entries[node.key.value] = text(node.value);
  for (const child of Object.values(node)) Array.isArray(child) ? child.forEach(walk) : walk(child);
})(tree);

console.log(JSON.stringify({ calls: [...calls], entries }));
