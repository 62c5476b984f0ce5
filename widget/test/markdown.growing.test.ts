import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tree } from "../src/markdown/contract";
import { parse } from "../src/markdown/trees";
import { html } from "./html";

const CORPUS = [
  "Hello **bold**, *emphasised*, ***both***, ~~gone~~ and `code`, `<tag>`. A __name__ of_two_words, 2 * 3 * 4.",
  "# A heading\n\nText, then\n\n## Another **one** ##\n\n---\n\nThe end!",
  "See [the *docs*](https://x.test/a_(b)?c=d \"Title\"), https://x.test/docs. And www.x.test/a, or a.b@x.test.",
  "![A cat](https://x.test/cat.png) and [![in a link](https://x.test/b.png)](https://x.test/).",
  "As said [in the book][1] and [elsewhere][two], an array[0] of [[5]](https://x.test/5).\n\n[1]: https://x.test/book\n[two]: <https://x.test/two> \"Two\"",
  "1. First\n2. Second\n   - nested **more**\n   - [x] done\n\n   A paragraph.\n3. Third\n\n* a\n* b",
  "| Name | Value |\n|:-----|------:|\n| a | **1** |\n| `b` | [x](https://x.test/) |\n\nAfter it.",
  "```python\ndef f(x):\n    return x ** 2  # `tick`\n```\n\nThen ``a `tick` `` and\n\n~~~\nmore\n~~~",
  "> Quoted **text**\n> goes on\n>\n> - in a list\n\nAnd <https://x.test/> &amp; <a@x.test>, R&D, a<br>line H<sub>2</sub>O <!-- hidden -->\\\nends\\*.",
  "Inline \\(a_1^{2}\\) and $$x_i$$, then\n\n\\[\n\\frac{a}{b}\n\\]\n\n$$\nx * y * z\n$$",
  "「**強調**」看**重要：**请看 https://x.test/docs。谢谢！\n\n- **要点**：说明",
  "Name | Value\n--- | ---\na | list[0][1]\n\nSaid [1][2].",
  "Wow!! 5 < 6, 2**10 and 7 > 3 & more... \"quoted\" (really). 100 % of $5, ~10 minutes.",
];

const text = (tree: Tree): string => (typeof tree == "string" ? tree : (tree.slice(2) as Tree[]).map(text).join(""));
const words = (markdown: string, growing?: boolean): string => parse(markdown, growing).map(([, build]) => text(build())).join("\n").trim();
const links = (markup: string): string[] => [...markup.matchAll(/href="([^"]*)"/g)].map(([, address]) => address);

for (const markdown of CORPUS)
  test(`each frame shows the beginning of ${JSON.stringify(markdown.slice(0, 24))}…, and no address but those at its end`, () => {
    const whole = words(markdown);
    const addresses = links(html(markdown));
    for (let end = 0; end <= markdown.length; end++) {
      const frame = markdown.slice(0, end);
      assert.ok(whole.startsWith(words(frame, true)), `${JSON.stringify(frame.slice(-40))} shows ${JSON.stringify(words(frame, true).slice(-60))}`);
      for (const address of links(html(frame, true))) assert.ok(addresses.includes(address), `${address} in ${JSON.stringify(frame.slice(-40))}`);
    }
  });

test("what is open at the end of a growing text is shown as if closed", () => {
  assert.equal(html("a **b", true), "<p>a <strong>b</strong></p>");
  assert.equal(html("- a `b", true), "<ul><li>a <code>b</code></li></ul>");
  assert.equal(html("a [b](https://x", true), "<p>a <span>b</span></p>");
  assert.equal(html("a **", true), "<p>a </p>");
  assert.equal(html("a **b"), "<p>a **b</p>");
});

test("a text that grows keeps all its blocks but the last two", () => {
  const whole = CORPUS.filter((markdown) => !markdown.includes("[")).join("\n\n");
  let before: string[] = [];
  for (let end = 0; end <= whole.length; end++) {
    const sources = parse(whole.slice(0, end), true).map(([source]) => source);
    const settled = before.slice(0, -2);
    assert.deepEqual(sources.slice(0, settled.length), settled, `at ${end}`);
    before = sources;
  }
});
