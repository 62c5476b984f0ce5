import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tree } from "../src/markdown/contract";
import { parse } from "../src/markdown/trees";
import { html } from "./html";

const CASES: Record<string, [markdown: string, html: string]> = {
  "a line's end in a paragraph": ["Hello\nyou", "<p>Hello\nyou</p>"],
  "lines that end as on Windows": ["- a\r\n- b\r\n\r\n```\r\nc\r\n```", "<ul><li>a</li><li>b</li></ul><pre><code>c\n</code></pre>"],
  "an address before a Chinese full stop": ["看https://x.test/docs。谢谢", '<p>看<a href="https://x.test/docs">https://x.test/docs</a>。谢谢</p>'],
  "an address with brackets": ["https://x.test/a_(b) (https://x.test).", '<p><a href="https://x.test/a_(b)">https://x.test/a_(b)</a> (<a href="https://x.test/">https://x.test</a>).</p>'],
  "an address with a list in its query": ["https://x.test/?a[b][]=1 https://x.test/[1]", '<p><a href="https://x.test/?a%5Bb%5D%5B%5D=1">https://x.test/?a[b][]=1</a> <a href="https://x.test/">https://x.test/</a>[1]</p>'],
  "an address in bold": ["**https://x.test/**", '<p><strong><a href="https://x.test/">https://x.test/</a></strong></p>'],
  "an address in code": ["`https://x.test`", "<p><code>https://x.test</code></p>"],
  "an address with a reference": ["https://x.test/?a=1&amp;b=2", '<p><a href="https://x.test/?a=1&amp;b=2">https://x.test/?a=1&amp;b=2</a></p>'],
  "a label in brackets": ["[[1]](https://x.test/a)", '<p><a href="https://x.test/a">[1]</a></p>'],
  "a link in a link": ["[https://a.test](https://b.test/)", '<p><a href="https://b.test/"><span>https://a.test</span></a></p>'],
  "a link to call": ["[a](tel:+491) [b](sms:+491) <tel:+491> tel:+491", '<p><a href="tel:+491">a</a> <a href="sms:+491">b</a> <a href="tel:+491">tel:+491</a> <a href="tel:+491">tel:+491</a></p>'],
  "a link to a file": ["[a](<b c.pdf>) [d](/e)", '<p><a href="https://page.test/b%20c.pdf">a</a> <a href="https://page.test/e">d</a></p>'],
  "an address of mail": ["<a@b.example> and a@b.example.", '<p><a href="mailto:a@b.example">a@b.example</a> and <a href="mailto:a@b.example">a@b.example</a>.</p>'],
  "an image": ["![cat](https://x.test/c.png)", '<p><a href="https://x.test/c.png">🖼 cat</a></p>'],
  "a script address": ["[x](javascript:alert(1))", "<p><span>x</span></p>"],
  "raw HTML": ["<b onclick=x>hi</b> a<br>b<!-- c -->", "<p>&lt;b onclick=x&gt;hi&lt;/b&gt; a<br />b</p>"],
  "elements without attributes": ["H<sub>2</sub>O **<kbd>Ctrl</kbd>** <b>a *b</b> c* <i>", "<p>H<sub>2</sub>O <strong><kbd>Ctrl</kbd></strong> <b>a *b</b> c* &lt;i&gt;</p>"],
  "a number in brackets that is no link": ["list[0][1] said [1][2] and [^1]\n\n[^1]: Note", "<p>list[0][1] said [1][2] and [^1]</p><p>[^1]: Note</p>"],
  comments: ["a <!-- b --> c\n\n<!--\nd\n\ne --> f\n\n<!-- g --> h", "<p>a  c</p><p>f</p><p> h</p>"],
  "a comment that does not end": ["<!-- a\n\nb", "<p>&lt;!-- a\nb</p>"],
  "a formula": ["\\(a_1^{2}\\) and $$a_1*b*$$ but \\(", "<p><code>\\(a_1^{2}\\)</code> and <code>$$a_1*b*$$</code> but (</p>"],
  "a formula on lines of its own": ["\\[\n\\frac{a}{b} \\, x\n- y\n\\]", "<pre><code>\\[\n\\frac{a}{b} \\, x\n- y\n\\]\n</code></pre>"],
  "bold before a word without a space": ["**重要：**请看", "<p><strong>重要：</strong>请看</p>"],
  "names with underscores": ["snake_case_name and __init__.py", "<p>snake_case_name and <strong>init</strong>.py</p>"],
  "a heading that is closed": ["## H ##", "<h2>H</h2>"],
  "a year at a line's beginning": ["in\n1984. A", "<p>in\n1984. A</p>"],
  "a list from nought": ["0. a", '<ol start="0"><li>a</li></ol>'],
  "a list that tabs nest": ["- a\n\t- b\n\t\t- c", "<ul><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li></ul>"],
  "code in a list": ["1. a\n   ```sh\n   x\n\n     y\n   ```\n2. b", '<ol><li>a<pre><code class="language-sh">x\n\n  y\n</code></pre></li><li>b</li></ol>'],
  "a tab in code": ["```make\nall:\n\tcc\n```", '<pre><code class="language-make">all:\n\tcc\n</code></pre>'],
  "a fence in a longer fence": ["````\n```\na\n```\n````", "<pre><code>```\na\n```\n</code></pre>"],
  "a row of a table that is too short": ["|a|b|\n|-|-|\n|1|", "<table><thead><tr><th>a</th><th>b</th></tr></thead><tbody><tr><td>1</td><td></td></tr></tbody></table>"],
  "a table after a paragraph": ["x\n| a |\n| - |\n| \\| |", "<p>x</p><table><thead><tr><th>a</th></tr></thead><tbody><tr><td>|</td></tr></tbody></table>"],
  "a link that is defined below": ["[a][1]\n\n[1]: https://x.test/", '<p><a href="https://x.test/">a</a></p>'],
};

for (const [name, [markdown, expected]] of Object.entries(CASES))
  test(name, () => {
    assert.equal(html(markdown), expected);
  });

const HOSTILE = [
  "*", "**a ", "_", "`", "``a", "[", "[a](", "![", "<", "> ", "- ", "1. ", "#", "|", "a|b\n-|", "~~", "\\", "https://", "(", "[](a 'b", "```\n", " ", "\n", "- \n  ",
  "*a **b** ", "$$", "$$a", "\\(a", "\\[", "<!--", "[a][", "[a]: b\n", "[a]: b 'c\n", "[[a]", "|a|\n", "&amp;", "&a", "www.", "a@b.c", "a_", "https://a.b);", "<a:b", "\t", "*_~", "~a", "]", "a\n=\n",
  "* *", "[a](b \"", "[*](a)", "[*a](b)*", "**[a", "<a@", "- a\n\n", "<b>", "<b>a</b>", "<b>a</i>", "[<b>a](b)</b>", "<!", "a | ",
];

for (const piece of HOSTILE)
  test(`16,000 characters of ${JSON.stringify(piece)} cost less than half a second`, () => {
    const text = piece.repeat(16000 / piece.length);
    const began = process.cpuUsage();

    html(text + "x", true);

    assert.ok(process.cpuUsage(began).user < 500_000);
  });

test("eight times the text costs about eight times", () => {
  const cost = (piece: string, chars: number): number => {
    const text = piece.repeat(chars / piece.length);
    return Math.min(
      ...[1, 2, 3].map(() => {
        // Of the process, not of the clock: a busy machine costs it nothing.
        const began = process.cpuUsage();
        html(text, true);
        const { user, system } = process.cpuUsage(began);
        return (user + system) / 1000;
      }),
    );
  };

  // The worst of all pairs of marks are among them.
  for (const piece of [...HOSTILE, " []()", "*\n[]()", "***![a](b)", " | \n|-|\n|a", "\n- |a", "<http://\\*"])
    assert.ok(
      // A machine may be busy for a while; the square of a length costs 64 times as much every time.
      [1, 2, 3].some(() => cost(piece, 32000) < 24 * Math.max(0.2, cost(piece, 4000))),
      JSON.stringify(piece),
    );
});

test("what is nested too deep is shown as text", () => {
  const deepest = (tree: Tree): number => (typeof tree == "string" ? 0 : 1 + Math.max(0, ...(tree.slice(2) as Tree[]).map(deepest)));

  for (const piece of ["> ", "- "]) {
    const [[, build]] = parse(piece.repeat(5000) + "x");
    assert.ok(deepest(build()) < 40);
  }
});

test("any text is read, whole and while it grows", () => {
  const pieces = [...HOSTILE, "a", "b", " ", "\n", "    ", "\u{1f600}", "\r\n", "\0"];
  let seed = 1;
  for (let texts = 0; texts < 3000; texts++) {
    let text = "";
    for (let i = 0; i < 12; i++) text += pieces[(seed = (seed * 48271) % 0x7fffffff) % pieces.length];
    assert.doesNotThrow(() => html(text) + html(text, true), JSON.stringify(text));
  }
});
