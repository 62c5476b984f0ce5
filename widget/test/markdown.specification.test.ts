import { tests } from "commonmark-spec";
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import gfm from "./gfm.json";
import { expected, html } from "./html";

declare const ROOT: string;

const DOCS = readFileSync(ROOT + "docs/embed.md", "utf8");

/** The numbers that the docs list: "CommonMark: 21, 148–191 … CommonMark: 25". */
const listed = (name: string): number[] =>
  [...DOCS.matchAll(new RegExp(`${name}: ([\\d–]+(?:, [\\d–]+)*)`, "g"))]
    .flatMap(([, list]) => list.split(", "))
    .flatMap((range) => {
      const [first, last = first] = range.split("–").map(Number);
      return Array.from({ length: last - first + 1 }, (_, i) => first + i);
    })
    .sort((a, b) => a - b);

/** The examples that are not shown as the specification expects. */
const differing = (examples: { number: number; markdown: string; html: string }[]): number[] =>
  examples
    .filter(({ markdown, html: wanted }) => expected(html(markdown.replace(/→/g, "\t"))) != expected(wanted.replace(/→/g, "\t").trimEnd()))
    .map(({ number }) => number);

test("of CommonMark's 652 examples all hold but those that the docs list", () => {
  assert.equal(tests.length, 652);
  assert.deepEqual(differing(tests), listed("CommonMark"));
});

test("of GFM's examples all hold but those that the docs list", () => {
  assert.equal(gfm.examples.length, 28);
  assert.deepEqual(differing(gfm.examples), listed("GFM"));
});
