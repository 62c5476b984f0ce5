/** Markdown as models write it, to plain trees: no DOM, no HTML strings, linear time. */

import type { Tree } from "./dom";

/** One block: its source, which identifies it, and its tree, built when asked for. */
export type Block = [source: string, build: (live?: boolean) => Tree];

const MAX_DEPTH = 8;
const FENCE = /^ {0,3}(```+|~~~+)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6}) +(.*)/;
const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])( +(.*)|)$/;
const DIVIDER = /^(?=.*-)[ :-]*\|[ |:-]*$/;

const begins = (line: string): boolean => [FENCE, HEADING, RULE, QUOTE, ITEM].some((start) => start.test(line));

const indent = (line: string): number => line.search(/\S|$/);

const cells = (row: string): string[] =>
  row
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replace(/\\\|/g, "|"));

/** Split markdown into its blocks. `live` text may still grow: what is open is shown as if closed. */
export function parse(text: string, depth = 0): Block[] {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  let at = 0;

  const inner = (text: string, live?: boolean): Tree[] =>
    depth > MAX_DEPTH ? [text] : parse(text, depth + 1).map(([, build], i, all) => build(live && !all[i + 1]));

  const isTable = () => lines[at].includes("|") && DIVIDER.test(lines[at + 1]);

  const list = ([, { length: base }, marker]: RegExpExecArray): Block[1] => {
    const items: string[] = [];
    let width = 0;
    for (; at < lines.length; at++) {
      const line = lines[at];
      const depth = indent(line);
      const outside = depth < base + 2;
      const item = outside && !RULE.test(line) && ITEM.exec(line);
      if (item && item[2].at(-1) == marker.at(-1)) {
        items.push(item[4] || "");
        width = depth + item[2].length + 1;
      } else if (line.trim() && outside && (!lines[at - 1].trim() || begins(line))) break;
      else items[items.length - 1] += "\n" + line.slice(Math.min(depth, width));
    }
    return (live) => [
      marker[1] ? "ol" : "ul",
      { start: parseInt(marker) || 1 },
      ...items.map((item, i): Tree => {
        const [head = "", ...rest] = inner(item, live && !items[i + 1]);
        return ["li", {}, ...(head[0] == "p" ? (head.slice(2) as Tree[]) : [head]), ...rest];
      }),
    ];
  };

  const table = (): Block[1] => {
    const rows = [cells(lines[at++])];
    const rule = cells(lines[at++]);
    while (lines[at]?.includes("|")) rows.push(cells(lines[at++]));
    const align = (cell = "") => (cell.at(-1) != ":" ? "" : cell[0] == ":" ? "center" : "right");
    return () => [
      "div.table",
      { tabIndex: 0 },
      ["table", {}, ...rows.map((row, i): Tree => ["tr", {}, ...row.map((cell, j): Tree => [i ? "td" : "th", { align: align(rule[j]) }, ...inline(cell)])])],
    ];
  };

  const block = (line: string): Block[1] => {
    const from = at;
    let match: RegExpExecArray | null;
    if ((match = FENCE.exec(line))) {
      while (++at < lines.length && lines[at].trim() != match[1]);
      const code = lines.slice(from + 1, at++).join("\n");
      return () => ["pre", { tabIndex: 0, dir: "ltr" }, ["code", {}, code]];
    }
    if ((match = HEADING.exec(line))) {
      at++;
      // All of one level: an answer must not break the outline of the page around it.
      return (live) => ["h3.h" + match![1].length, {}, ...inline(match![2], live)];
    }
    if (RULE.test(line)) {
      at++;
      return () => ["hr", {}];
    }
    if (QUOTE.test(line)) {
      while (QUOTE.test(lines[++at]));
      const quoted = lines.slice(from, at).map((line) => line.replace(QUOTE, ""));
      return (live) => ["blockquote", {}, ...inner(quoted.join("\n"), live)];
    }
    if ((match = ITEM.exec(line))) return list(match);
    if (isTable()) return table();
    while (++at < lines.length && lines[at].trim() && !begins(lines[at]) && !isTable());
    const said = lines.slice(from, at).map((line) => line.trim());
    return (live) => ["p", {}, ...inline(said.join("\n"), live)];
  };

  while (at < lines.length) {
    const from = at;
    if (!lines[at].trim()) at++;
    else {
      const build = block(lines[at]);
      blocks.push([lines.slice(from, at).join("\n"), build]);
    }
  }
  return blocks;
}

// Each part ends at the next mark of its own kind, so that no text makes the search start over and over:
// an escape; code; a link or an image; a bare address; strong; emphasis; underscores and strikes; a line's end.
const TOKEN =
  /\\([!-\/:-@[-`{-~])|(?<!`)(`+)(?!`)([^]+?)(?<!`)\2(?!`)|!?\[([^\[\]]*)\]\( ?<?([^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)>?(?: +["'][^)\n]{0,200})? ?\)|<?((?:https?:\/\/|mailto:)[^\s<>]*[^\s<>.,:;!?'")\]*_~`])>?|\*\*(?=\S)((?:[^*]|\*(?=\s)|\*[^*\s][^*]*\*)+)(?<!\s)\*\*|(?<!\*)\*(?![\s*])((?:[^*]|\*\*[^*]+\*\*)+)(?<!\s)\*(?!\*)|(?<![\p{L}\p{N}_])(__?|~~)(?=[^\s_~])([^_~]+)(?<!\s)\9(?![\p{L}\p{N}_])|\n|<br ?\/?>/giu;

/** A link, if a visitor may follow it: http(s) and mailto only. */
function link(address: string, shown: Tree[], linked?: boolean): Tree {
  try {
    const { protocol, href } = new URL(address, globalThis.document?.baseURI);
    if (!linked && /^(https?|mailto):$/.test(protocol)) return ["a", { href, target: "_blank", rel: "noopener noreferrer" }, ...shown];
  } catch {
    // not an address at all
  }
  return ["span", {}, ...shown];
}

/** Parse what stands inside a block. */
export function inline(text: string, live?: boolean, linked?: boolean): Tree[] {
  const out: Tree[] = [];
  let from = 0;
  if (live) {
    text = text.replace(/(?<![*`])[*`]+$/, "");
    for (const mark of ["`", "**"]) if (text.split(mark).length % 2 == 0) text += mark;
  }
  for (const match of text.matchAll(TOKEN)) {
    const [all, escaped, , code, label, address, bare, strong, emphasis, mark, marked] = match;
    const { index } = match;
    const inside = strong || emphasis || marked;
    let tree: Tree = escaped || ["br", {}];
    if (code) tree = ["code", {}, code.trim()];
    else if (bare) tree = link(bare, [bare], linked);
    // An image would tell its server what was said: it is shown as a link, to follow on purpose.
    else if (address != undefined) tree = link(address, all[0] == "!" ? ["🖼 " + (label || address)] : inline(label, false, true), linked);
    else if (inside) tree = [strong || mark == "__" ? "strong" : mark == "~~" ? "del" : "em", {}, ...inline(inside, false, linked)];
    out.push(text.slice(from, index), tree);
    from = index + all.length;
  }
  return [...out, text.slice(from)].filter((tree) => tree);
}
