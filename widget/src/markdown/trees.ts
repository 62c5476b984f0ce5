/** Markdown as models write it, to plain trees: no DOM, no HTML strings, linear time. */

import { BlockParser, cells, type Node } from "./blocks";
import type { Grounds, Tree } from "./contract";
import { inline } from "./inlines";
import { unescape, type Reading } from "./references";

/** One block: what it is built from, which tells whether it has changed, and its tree, built when asked for. */
export type Block = [source: string, build: () => Tree];

// What a line in a container begins with.
const CONTAINERS = /^(?:[ \t>]|[-+*](?=[ \t])|\d{1,9}[.)](?=[ \t]))*/;
// Of the last line of a growing text: marks that may be of any kind as yet, a fence, a definition.
const UNDECIDED = /^(?:[-+*_=#~|$: \t]*|`{1,2}|(?:`{3,}|~{3,})[^`]*|\d{1,9}[.)]?|\\\[?|\[[^\]]{0,99}(?:\](?::.*)?)?)$/;
// The end of a growing paragraph that will most likely be a table.
const TABLE_TO_BE = /(?:^|\n)\|[^\n]*(?:\n[ \t:|-]*)?$|(?<=^[^|\n]{1,40}) ?\|(?:[^|\n]{0,40}\|)*[^|\n]{0,40}$/;

/** Split markdown into its blocks. A `growing` text is shown as it will most likely be; other `grounds` make other trees. */
export function parse(text: string, growing?: boolean, grounds?: Grounds): Block[] {
  const lines = text.split(/\r\n?|\n/);
  const last = lines.at(-1)!;
  if (growing ? UNDECIDED.test(last.replace(CONTAINERS, "")) : !last) lines.pop();
  const { root, references } = new BlockParser(lines);
  const nodes = root.nodes.filter(isShown);
  const reading: Reading = { references, growing, grounds };
  const defined = JSON.stringify([...references]);
  return nodes.map((node, i) => {
    const live = growing && !nodes[i + 1];
    const source = lines.slice(node.start, node.end + 1).join("\n");
    // A definition changes blocks that stand before it.
    const refers = source.includes("[") ? defined + (source.includes("][") && growing) : "";
    return [source + live + refers, () => build(node, reading, live)];
  });
}

// A paragraph of nothing but definitions shows nothing, and a comment neither; one that does not end is text.
const isShown = ({ name, lines }: Node): boolean => !/paragraph|comment/.test(name) || !!lines.length;

const areApart = (nodes: Node[]): boolean => nodes.some(({ start }, i) => i && nodes[i - 1].end + 1 < start);

// There are blank lines between a list's items, or inside one.
const isLoose = ({ nodes }: Node): boolean => areApart(nodes) || nodes.some(({ nodes }) => areApart(nodes));

/** What stands in a container, whose direction is its first paragraph's. */
const buildInside = (nodes: Node[], reading: Reading, live?: boolean): Tree[] => {
  const trees = nodes.filter(isShown).map((node, i, all) => build(node, reading, live && !all[i + 1]));
  const [first] = trees;
  return first?.[0] == "p" ? [["p", {}, ...(first.slice(2) as Tree[])], ...trees.slice(1)] : trees;
};

const TASK = /^\[([ x])\]\s+(?=\S)/i;

const buildItem = ({ nodes }: Node, reading: Reading, live?: boolean): Tree => {
  const [first, ...rest] = nodes;
  const said = first?.lines.join("\n");
  const task = first?.name == "paragraph" && TASK.exec(said);
  if (!task) return ["li", { dir: "auto" }, ...buildInside(nodes, reading, live)];
  const box: Tree = ["input", { type: "checkbox", disabled: 1, checked: +(task[1] != " ") }];
  const [[, , ...words], ...trees] = buildInside([{ ...first, lines: [said.slice(task[0].length)] }, ...rest], reading, live) as [string, object, ...Tree[]][];
  return ["li", { dir: "auto" }, ["p", {}, ["label", {}, box, " ", ...words]], ...(trees as Tree[])];
};

const buildList = (list: Node, reading: Reading, live?: boolean): Tree => {
  const { nodes, number } = list;
  const className = isLoose(list) ? "loose" : "";
  const items = nodes.map((item, i) => buildItem(item, reading, live && !nodes[i + 1]));
  return number == undefined ? ["ul", { className }, ...items] : ["ol", { className, start: number }, ...items];
};

const buildTable = ([head, divider, ...rows]: string[], reading: Reading, live?: boolean): Tree => {
  const aligns = cells(divider).map((cell) => (cell.at(-1) != ":" ? (cell[0] == ":" ? "left" : "") : cell[0] == ":" ? "center" : "right"));
  const row = (line: string, name: string, dir: string, live?: boolean): Tree => {
    const said = cells(line);
    return ["tr", {}, ...aligns.map((align, i): Tree => [name, { align, dir }, ...inline(said[i] || "", reading, live && i == said.length - 1)])];
  };
  const body = rows.map((line, i) => row(line, "td", "auto", live && !rows[i + 1]));
  // The head's direction is the table's: its columns run that way.
  return ["div.table", { tabIndex: 0, dir: "auto" }, ["table", {}, row(head, "th", ""), ...body]];
};

function build(node: Node, reading: Reading, live?: boolean): Tree {
  const { name, lines, nodes, number, info } = node;
  const text = () => lines.join("\n").trimEnd();
  switch (name) {
    case "list":
      return buildList(node, reading, live);
    case "quote":
      return ["blockquote", { dir: "auto" }, ...buildInside(nodes, reading, live)];
    case "heading":
      // All of one level: an answer must not break the outline of the page around it.
      return ["h3.h" + number, { dir: "auto" }, ...inline(text(), reading, live)];
    case "rule":
      return ["hr", {}];
    case "code":
      return ["pre", { tabIndex: 0, dir: "ltr" }, ["code", { className: info ? "language-" + unescape(info.split(/\s/)[0]) : "" }, lines.join("\n")]];
    case "table":
      return buildTable(lines, reading, live);
  }
  return ["p", { dir: "auto" }, ...inline(live ? text().replace(TABLE_TO_BE, "") : text(), reading, live)];
}
