/** Markdown as models write it, to plain trees: no DOM, no HTML strings, linear time. */

import type { Tree } from "./dom";

/** One top-level block: its source, which identifies it, and its tree, built when asked for. */
export type Block = [source: string, build: (live?: boolean) => Tree];

const MAX_DEPTH = 8;
const FENCE = /^\s{0,3}(`{3,}|~{3,})\s*([^`\s]*)[^`]*$/;
const HEADING = /^ {0,3}(#{1,6}) +(.*)/;
const RULE = /^ {0,3}([-*_])( *\1){2,} *$/;
const QUOTE = /^ {0,3}> ?/;
const ITEM = /^( *)([-*+]|\d{1,9}[.)])( +(.*)|)$/;
const INTERRUPTS = /^ {0,3}(#{1,6} |>|`{3}|~{3})|^ *([-*+]|1[.)]) +\S/;

const indent = (line: string): number => line.search(/\S|$/);

const cells = (row: string): string[] =>
  row
    .trim()
    .replace(/^\||\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replace(/\\\|/g, "|"));

const isTable = (head: string, rule = ""): boolean =>
  head.includes("|") && rule.includes("-") && cells(rule).every((cell) => /^:?-+:?$/.test(cell));

/** Split markdown into its blocks. `live` text may still grow: what is open is shown as if closed. */
export function parse(text: string, depth = 0): Block[] {
  const lines = text.split("\n");
  const blocks: Block[] = [];
  let at = 0;

  const inner = (text: string, live?: boolean): Tree[] =>
    depth > MAX_DEPTH ? [text] : parse(text, depth + 1).map(([, build], i, all) => build(live && i == all.length - 1));

  const blankThen = (test: (line: string) => unknown): boolean => {
    let next = at;
    while (next < lines.length && !lines[next].trim()) next++;
    return next < lines.length && !!test(lines[next]);
  };

  const list = (first: RegExpExecArray): Block[1] => {
    const base = first[1].length;
    const kind = first[2].slice(-1);
    const items: string[] = [];
    const next = (line: string) => {
      const item = ITEM.exec(line);
      return item && item[2].slice(-1) == kind && item[1].length < base + 2 && !RULE.test(line) && item;
    };
    const belongs = (line: string) => indent(line) > base + 1;
    for (let item; at < lines.length && (item = next(lines[at])); ) {
      const width = base + item[2].length + 1;
      let source = item[4] || "";
      for (at++; at < lines.length; at++) {
        const line = lines[at];
        if (line.trim() ? !belongs(line) && (INTERRUPTS.test(line) || next(line) || !lines[at - 1].trim()) : !blankThen(belongs)) break;
        source += "\n" + line.slice(Math.min(indent(line), width));
      }
      items.push(source.replace(/^\[[ x]\] /i, (box) => (box[1] == " " ? "☐ " : "☑ ")));
      if (blankThen(next)) while (!lines[at].trim()) at++;
    }
    const start = parseInt(first[2]);
    return (live) => [
      start >= 0 ? "ol" : "ul",
      start >= 0 && start != 1 ? { start } : {},
      ...items.map((item, i): Tree => {
        const [head, ...rest] = inner(item, live && i == items.length - 1);
        return ["li", {}, ...(head?.[0] == "p" ? (head.slice(2) as Tree[]) : head ? [head] : []), ...rest];
      }),
    ];
  };

  const table = (): Block[1] => {
    const head = cells(lines[at]);
    const align = cells(lines[at + 1]).map((cell) => (/-:$/.test(cell) ? (cell[0] == ":" ? "center" : "right") : ""));
    const rows: string[][] = [];
    for (at += 2; at < lines.length && lines[at].includes("|"); at++) rows.push(cells(lines[at]));
    const row = (name: string, row: string[]): Tree => [
      "tr",
      {},
      ...head.map((_, i): Tree => [name, align[i] ? { align: align[i] } : {}, ...inline(row[i] || "")]),
    ];
    return () => [
      "div.table",
      { tabindex: 0 },
      ["table", {}, ["thead", {}, row("th", head)], ["tbody", {}, ...rows.map((cells) => row("td", cells))]],
    ];
  };

  const block = (line: string): Block[1] => {
    const from = at;
    let match;
    if ((match = FENCE.exec(line))) {
      const [, fence, language] = match;
      const closes = (line: string) => line.startsWith(fence) && !line.replace(/[`~]+/, "");
      while (++at < lines.length && !closes(lines[at].trim()));
      const code = lines.slice(from + 1, at++).join("\n");
      return () => ["pre", { tabindex: 0, dir: "ltr", "data-language": language }, ["code", {}, code]];
    }
    if ((match = HEADING.exec(line))) {
      at++;
      const [, level, title] = match;
      // All of one level: an answer must not break the outline of the page around it.
      return (live) => [`h3.h${level.length}`, {}, ...inline(title, live)];
    }
    if (RULE.test(line)) {
      at++;
      return () => ["hr", {}];
    }
    if (QUOTE.test(line)) {
      while (++at < lines.length && QUOTE.test(lines[at]));
      const quoted = lines.slice(from, at).map((line) => line.replace(QUOTE, ""));
      return (live) => ["blockquote", {}, ...inner(quoted.join("\n"), live)];
    }
    if ((match = ITEM.exec(line))) return list(match);
    if (isTable(line, lines[at + 1])) return table();
    while (++at < lines.length && lines[at].trim() && !INTERRUPTS.test(lines[at]) && !RULE.test(lines[at]) && !isTable(lines[at], lines[at + 1]));
    const said = lines.slice(from, at).map((line) => line.trim());
    return (live) => ["p", {}, ...inline(said.join("\n"), live)];
  };

  while (at < lines.length) {
    const from = at;
    if (!lines[at].trim()) at++;
    else {
      const build = block(lines[at]);
      blocks.push([lines.slice(from, at).join("\n").trimEnd(), build]);
    }
  }
  return blocks;
}

const TOKEN =
  /\\[!-\/:-@[-`{-~]|`+|!?\[([^\[\]]*)\]\( ?<?([^\s()<>]*(?:\([^\s()]*\)[^\s()<>]*)*)>?(?: +["'][^)\n]{0,200})? ?\)|<?((?:https?:\/\/|mailto:)[^\s<>]*[^\s<>.,:;!?'")\]*_~`])>?|\*\*?|__?|~~|\n|<br ?\/?>/gi;

const TAGS: Record<string, string> = { "**": "strong", __: "strong", "*": "em", _: "em", "~~": "del" };

const WORD = /[\p{L}\p{N}]/u;

/** The address, if a visitor may follow it: http(s) and mailto only. */
export function safeUrl(address: string): string | undefined {
  try {
    const url = new URL(address, globalThis.document?.baseURI);
    return /^(https?|mailto):$/.test(url.protocol) ? url.href : undefined;
  } catch {
    return undefined; // not an address at all
  }
}

const link = (address: string, shown: Tree[]): Tree | undefined => {
  const href = safeUrl(address);
  return href && ["a", { href, target: "_blank", rel: "noopener noreferrer" }, ...shown];
};

/** Parse what stands inside a block. */
export function inline(text: string, live?: boolean, depth = 0, linked?: boolean): Tree[] {
  const out: Tree[] = [];
  const hopeless: Record<string, boolean> = {};
  const token = new RegExp(TOKEN);
  let from = 0;
  let match;

  // A delimiter whose closing was searched in vain once has none further on either.
  const closing = (mark: string, at: number): number => {
    const single = !mark[1];
    while (!hopeless[mark] && (at = text.indexOf(mark, at)) > 0) {
      const after = text[at + mark.length];
      if (after == mark[0]) at += single ? 2 : 1;
      else if (/[\s\\]/.test(text[at - 1]) || (mark[0] == "_" && after && WORD.test(after))) at += mark.length;
      else return at;
    }
    hopeless[mark] = true;
    return live && !single && depth < 2 ? text.length : -1;
  };

  const code = (mark: string, at: number): number => {
    while (!hopeless[mark] && (at = text.indexOf(mark, at)) > 0) {
      if (text[at + mark.length] != "`" && text[at - 1] != "`") return at;
      while (text[at] == "`") at++;
    }
    hopeless[mark] = true;
    return live ? text.length : -1;
  };

  const read = (mark: string, [, label, address, bare]: RegExpExecArray, end: number): [Tree | undefined, number] => {
    if (address !== undefined) {
      // An image would tell its server what was said: it is shown as a link to follow on purpose.
      const shown = mark[0] == "!" ? ["🖼 " + (label || address)] : inline(label, false, depth + 1, true);
      return [linked ? label : (link(address, shown) ?? (["span", {}, ...shown] as Tree)), end];
    }
    if (bare) return [linked ? bare : link(bare, [bare.replace(/^mailto:/, "")]), end];
    if (mark == "\n" || mark[0] == "<") return [["br", {}], end];
    if (mark[0] == "\\") return [mark[1], end];
    if (mark[0] == "`") {
      const to = code(mark, end);
      return [to < 0 ? undefined : ["code", {}, text.slice(end, to).replace(/^ (.*) $/s, "$1")], to + mark.length];
    }
    const before = text[end - mark.length - 1];
    const opens = /\S/.test(text[end] || "") && !(mark[0] == "_" && before && WORD.test(before));
    const to = opens && depth < MAX_DEPTH ? closing(mark, end + 1) : -1;
    return [to < 0 ? undefined : [TAGS[mark], {}, ...inline(text.slice(end, to), live && to == text.length, depth + 1, linked)], to + mark.length];
  };

  while ((match = token.exec(text))) {
    const [tree, to] = read(match[0], match, token.lastIndex);
    if (tree === undefined) continue;
    if (match.index > from) out.push(text.slice(from, match.index));
    out.push(tree);
    from = token.lastIndex = to;
  }
  if (from < text.length) out.push(text.slice(from));
  return out;
}
