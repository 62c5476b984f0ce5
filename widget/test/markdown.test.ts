import assert from "node:assert/strict";
import { test } from "node:test";
import type { Tree } from "../src/dom";
import { parse } from "../src/markdown";

/** Write trees as terse HTML, for reading in tests only. */
const show = (tree: Tree): string => {
  if (typeof tree == "string") return tree;
  const [name, props, ...children] = tree;
  const shown = Object.entries(props).flatMap(([key, value]) =>
    ["href", "align"].includes(key) && value ? [` ${key}=${value}`] : key == "start" && name == "ol" && value != 1 ? [` start=${value}`] : [],
  );
  return `<${name}${shown.join("")}>${children.map(show).join("")}</${name}>`;
};

const html = (text: string, live?: boolean): string => {
  const blocks = parse(text);
  return blocks.map(([, build], i) => show(build(live && i == blocks.length - 1))).join("");
};

const CASES: Record<string, [markdown: string, html: string]> = {
  "a paragraph": ["Hello\nyou", "<p>Hello<br></br>you</p>"],
  "two paragraphs": ["One\n\n\nTwo", "<p>One</p><p>Two</p>"],
  emphasis: ["*a* _b_ **c** __d__ ~~e~~", "<p><em>a</em> <em>b</em> <strong>c</strong> <strong>d</strong> <del>e</del></p>"],
  "emphasis in emphasis": ["***a*** **b *c* d** *e **f** g*", "<p><strong><em>a</em></strong> <strong>b <em>c</em> d</strong> <em>e <strong>f</strong> g</em></p>"],
  "stars that are not emphasis": ["2 * 3 * 4, a*, * b", "<p>2 * 3 * 4, a*, * b</p>"],
  "names with underscores": ["snake_case_name and __init__.py", "<p>snake_case_name and <strong>init</strong>.py</p>"],
  code: ["`a *b*` and ``c`d``", "<p><code>a *b*</code> and <code>c`d</code></p>"],
  escapes: ["\\*a\\* \\\\ \\[x]", "<p>*a* \\ [x]</p>"],
  "a link": ["[a *b*](https://x.test/ \"t\")", "<p><a href=https://x.test/>a <em>b</em></a></p>"],
  "an address with brackets": ["[w](https://x.test/a_(b))", "<p><a href=https://x.test/a_(b)>w</a></p>"],
  "a bare address": ["See https://x.test/a_b?c=d.", "<p>See <a href=https://x.test/a_b?c=d>https://x.test/a_b?c=d</a>.</p>"],
  "an address in angles": ["<mailto:a@x.test>", "<p><a href=mailto:a@x.test>mailto:a@x.test</a></p>"],
  "a link in a link": ["[https://a.test](https://b.test/)", "<p><a href=https://b.test/><span>https://a.test</span></a></p>"],
  "an image": ["![cat](https://x.test/c.png)", "<p><a href=https://x.test/c.png>🖼 cat</a></p>"],
  "a script address": ["[x](javascript:alert(1))", "<p><span>x</span></p>"],
  "raw HTML": ["<b onclick=x>hi</b>", "<p><b onclick=x>hi</b></p>"],
  headings: ["# A\n### B **c**\n####### no", "<h3.h1>A</h3.h1><h3.h3>B <strong>c</strong></h3.h3><p>####### no</p>"],
  "a rule": ["a\n\n---\n\n* * *", "<p>a</p><hr></hr><hr></hr>"],
  "a quote": ["> a\n> - b\n\nc", "<blockquote><p>a</p><ul><li>b</li></ul></blockquote><p>c</p>"],
  "a list": ["- a\n- b\n  c\n* d", "<ul><li>a</li><li>b<br></br>c</li></ul><ul><li>d</li></ul>"],
  "a list from three": ["3. a\n4. b", "<ol start=3><li>a</li><li>b</li></ol>"],
  "a list in a list": ["1. a\n   - b\n     - c\n2. d", "<ol><li>a<ul><li>b<ul><li>c</li></ul></li></ul></li><li>d</li></ol>"],
  "a loose list": ["- a\n\n  more\n\n- b\n\nafter", "<ul><li>a<p>more</p></li><li>b</li></ul><p>after</p>"],
  "a list after a paragraph": ["Such as:\n- a", "<p>Such as:</p><ul><li>a</li></ul>"],
  "code in a list": ["1. a\n   ```sh\n   x\n\n     y\n   ```\n2. b", "<ol><li>a<pre><code>x\n\n  y</code></pre></li><li>b</li></ol>"],
  "fenced code": ["```js\n<b>*a*\n\n# b\n```\nc", "<pre><code><b>*a*\n\n# b</code></pre><p>c</p>"],
  "code that is not closed": ["~~~\na\n```", "<pre><code>a\n```</code></pre>"],
  "a table": [
    "a|b|c\n:-|-:|:-:\n1|`2`|**3**\n\nd",
    "<div.table><table><tr><th>a</th><th align=right>b</th><th align=center>c</th></tr><tr><td>1</td><td align=right><code>2</code></td><td align=center><strong>3</strong></td></tr></table></div.table><p>d</p>",
  ],
  "a table after a paragraph": ["x\n| a |\n| - |\n| \\| |", "<p>x</p><div.table><table><tr><th>a</th></tr><tr><td>|</td></tr></table></div.table>"],
};

for (const [name, [markdown, expected]] of Object.entries(CASES))
  test(name, () => {
    assert.equal(html(markdown), expected);
  });

test("what is open at the end of a growing text is shown as if closed", () => {
  assert.equal(html("a **b", true), "<p>a <strong>b</strong></p>");
  assert.equal(html("- a `b", true), "<ul><li>a <code>b</code></li></ul>");
  assert.equal(html("a **", true), "<p>a </p>");
  assert.equal(html("a **b"), "<p>a **b</p>");
});

test("a text that grows keeps all its blocks but the last two", () => {
  const whole = Object.values(CASES)
    .map(([markdown]) => markdown)
    .join("\n\n");
  let before: string[] = [];
  for (let end = 0; end <= whole.length; end++) {
    const sources = parse(whole.slice(0, end)).map(([source]) => source.trimEnd());
    const settled = before.slice(0, -2);
    assert.deepEqual(sources.slice(0, settled.length), settled, `at ${end}`);
    before = sources;
  }
});

const HOSTILE = ["*", "**a ", "_", "`", "``a", "[", "[a](", "![", "<", "> ", "- ", "1. ", "#", "|", "a|b\n-|", "~~", "\\", "https://", "(", "[](a 'b", "```\n", " ", "\n", "- \n  ", "*a **b** "];

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
