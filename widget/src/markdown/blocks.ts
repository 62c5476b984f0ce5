/** The blocks of Markdown: which lines are what. CommonMark 0.31 without HTML, and GFM's tables; linear time. */

import { Line } from "./line";
import { takeDefinitions, type References } from "./references";

type Name = "root" | "quote" | "list" | "item" | "paragraph" | "heading" | "rule" | "code" | "table" | "comment";

/** Containers have `nodes`, the others have `lines`. */
export interface Node {
  name: Name;
  nodes: Node[];
  lines: string[];
  /** Its first line, and its last that is not blank. */
  start: number;
  end: number;
  /** The last sign of a list's markers; the fence of a block of code. */
  marker?: string;
  /** What follows the fence. */
  info?: string;
  /** A list's first number; a heading's level; the columns that an item or a fence is indented by. */
  number?: number;
}

// What is nested deeper is text: nobody reads it, and walking it would take the stack.
const MAX_DEPTH = 24;
const HEADING = /^(#{1,6})(?:[ \t]+|$)/;
// A formula on lines of its own is read as code.
const FENCE = /^(`{3,}(?=[^`]*$)|~{3,}|\$\$(?=\s*$)|\\\[(?=\s*$))(.*)/;
const FORMULA_ENDS: Record<string, string> = { "\\[": "\\]", $$: "$$" };
const UNDERLINE = /^(?:=+|-+)[ \t]*$/;
const RULE = /^([-*_])[ \t]*(?:\1[ \t]*){2,}$/;
const ITEM = /^(?:[-+*]|(\d{1,9})[.)])(?=[ \t]|$)/;
const DIVIDER = /^\|?[ \t]*:?-+:?[ \t]*(?:\|[ \t]*:?-+:?[ \t]*)*\|?[ \t]*$/;

/** Split a row of a table. */
export const cells = (row: string): string[] =>
  row
    .trim()
    .replace(/^\||(?<!\\)\|$/g, "")
    .split(/(?<!\\)\|/)
    .map((cell) => cell.trim().replace(/\\\|/g, "|"));

const isLeaf = ({ name }: Node): boolean => !/root|quote|list|item/.test(name);

/** Whether a line is the last of a comment, a formula or a fenced code; it is taken. */
const ends = ({ name, marker, lines }: Node, line: Line): boolean => {
  const { rest, indent } = line;
  const said = rest.trim();
  if (name == "comment" && said.includes("-->")) {
    lines.length = 0;
    line.rest = rest.slice(rest.indexOf("-->") + 3);
    return true;
  }
  if (name != "code" || !marker || indent > 3) return false;
  const end = FORMULA_ENDS[marker];
  if (end ? said != end : !said.startsWith(marker) || said != marker[0].repeat(said.length)) return false;
  if (end) lines.push(end);
  line.rest = "";
  return true;
};

/** Whether a line goes on with an open block; a container takes its part of the line. */
const goesOn = ({ name, marker, nodes, number = 0 }: Node, line: Line): boolean => {
  const { blank, indent } = line;
  switch (name) {
    case "quote":
      return line.takeQuote();
    case "item":
      if (blank) line.rest = "";
      else if (indent < number) return false;
      line.takeIndent(number);
      return !blank || !!nodes.length;
    case "code":
      if (!marker && indent < 4 && !blank) return false;
      line.takeIndent(marker ? number : 4);
      return true;
    case "list":
    case "comment":
      return true;
    default:
      return !blank && name != "heading" && name != "rule";
  }
};

/** Reads line by line: a line goes on with some of the open blocks, ends the others, and may begin new ones. */
export class BlockParser {
  readonly references: References = new Map();
  readonly root: Node = { name: "root", nodes: [], lines: [], start: 0, end: 0 };
  /** The path from the root to the block that is being written. */
  #open = [this.root];
  /** How many of them the line goes on with. */
  #depth = 1;
  #number = 0;

  constructor(lines: string[]) {
    for (const line of lines) {
      this.#read(new Line(line));
      this.#number++;
    }
    this.#close(1);
  }

  get #tip(): Node {
    return this.#open.at(-1)!;
  }

  get #at(): Node {
    return this.#open[this.#depth - 1];
  }

  #read(line: Line): void {
    for (this.#depth = 1; this.#depth < this.#open.length; this.#depth++) {
      const node = this.#open[this.#depth];
      if (ends(node, line)) {
        this.#touch();
        this.#close(this.#depth);
        return this.#write(line);
      }
      if (!goesOn(node, line)) break;
      if (node.name == "quote") this.#touch(this.#depth + 1);
    }
    if (!/code|comment/.test(this.#at.name) && this.#begin(line)) return;
    // A paragraph goes on without its containers' marks.
    if (line.blank || this.#tip.name != "paragraph") this.#close(this.#depth);
    this.#write(line);
  }

  // Begins what begins here; true if nothing of the line is left to write.
  #begin(line: Line): boolean {
    while (!line.blank) {
      const { indent } = line;
      const rest = line.rest.trimStart();
      if (indent > 3) {
        if (this.#tip.name == "paragraph" || this.#at.name == "table") break;
        line.takeIndent(4);
        this.#add("code");
        break;
      }
      if (this.#depth > MAX_DEPTH || !this.#beginContainer(line, rest)) return this.#beginLeaf(rest, indent);
    }
    return false;
  }

  #beginContainer(line: Line, rest: string): boolean {
    if (line.takeQuote()) return !!this.#add("quote");
    const item = !RULE.test(rest) && ITEM.exec(rest);
    if (!item) return false;
    const [marker, digits] = item;
    const empty = !rest.slice(marker.length).trim();
    // "In\n1984. A year" is no list.
    if (this.#at.name == "paragraph" && (empty || (digits && +digits != 1))) return false;
    const { indent } = line;
    line.takeMark(marker);
    const space = empty || line.indent > 4 ? 1 : line.indent;
    line.takeIndent(space);
    this.#leave();
    const kind = marker.at(-1);
    if (this.#tip.name != "list" || this.#tip.marker != kind) this.#add("list", { marker: kind, number: digits ? +digits : undefined });
    this.#add("item", { number: indent + marker.length + space });
    return true;
  }

  #beginLeaf(rest: string, indent: number): boolean {
    const at = this.#at;
    const { lines } = at;
    const inParagraph = at.name == "paragraph";
    let match: RegExpExecArray | null;
    if ((match = HEADING.exec(rest))) {
      const said = rest.slice(match[0].length).trimEnd();
      this.#add("heading", { number: match[1].length, lines: [said.replace(/(?:^|[ \t])#+$/, "")] });
    } else if ((match = FENCE.exec(rest))) {
      const [, marker, info] = match;
      this.#add("code", { marker, info: info.trim(), number: indent, lines: FORMULA_ENDS[marker] ? [marker] : [] });
    } else if (inParagraph && UNDERLINE.test(rest) && takeDefinitions(lines, this.references)) {
      Object.assign(at, { name: "heading", number: rest[0] == "=" ? 1 : 2 });
      this.#touch();
    } else if (RULE.test(rest)) this.#add("rule");
    else if (/^<!--(?!.*-->.*\S)/.test(rest)) {
      this.#add("comment", { lines: [rest] });
      if (ends(this.#tip, new Line(rest))) this.#leave();
    }
    else if (inParagraph && DIVIDER.test(rest) && lines.length && cells(rest).length == cells(lines.at(-1)!).length)
      this.#add("table", { lines: [lines.pop()!, rest], start: this.#number - 1 });
    else return false;
    return true;
  }

  #write(line: Line): void {
    const { name, lines } = this.#tip;
    if (!line.blank) {
      const { rest } = line;
      if (name == "code") lines.push(rest);
      else (isLeaf(this.#tip) ? lines : this.#add("paragraph").lines).push(rest.trimStart());
      this.#touch();
    } else if (name == "code") lines.push(line.rest);
  }

  #add(name: Name, fields: Partial<Node> = {}): Node {
    this.#leave();
    if (this.#tip.name == "list" && name != "item") this.#close(this.#depth - 1);
    const node = { name, nodes: [], lines: [], start: this.#number, end: 0, ...fields };
    this.#tip.nodes.push(node);
    this.#depth = this.#open.push(node);
    this.#touch();
    return node;
  }

  /** End what the line does not go on with, and what has no place for another block. */
  #leave(): void {
    this.#close(this.#depth);
    if (isLeaf(this.#tip)) this.#close(this.#depth - 1);
  }

  #close(depth: number): void {
    this.#depth = Math.min(depth, this.#depth);
    for (const { name, lines, marker } of this.#open.splice(depth)) {
      if (name == "paragraph") takeDefinitions(lines, this.references);
      else if (name == "code" && !marker) while (/^[ \t]*$/.test(lines.at(-1) ?? "x")) lines.pop();
    }
  }

  #touch(depth = 1 / 0): void {
    for (const node of this.#open.slice(0, depth)) node.end = this.#number;
  }
}
