/** What stands inside a block: emphasis, code, links. CommonMark 0.31 without HTML, and GFM's links; linear time. */

import type { Tree } from "./contract";
import { joinParts, matchRuns, readRun, type Part } from "./emphasis";
import { bareLink, link } from "./links";
import { findTarget, unescape, type Reading } from "./references";

// A bracket that waits for its end is shown after so many signs.
const MAX_HELD = 200;
// Elements in elements: what is nested deeper is text.
const MAX_TAGS = 8;

const TOKEN = new RegExp(
  [
    /\\[!-/:-@[-`{-~\n]?|\n[ \t]*/, // an escape; a line's end
    /`+|\$\$|<!--/, // code, a formula, a comment
    /\*+|_+|~+/, // emphasis
    /!?\[|\]/, // an image, a link
    /<(?:[a-z][a-z\d+.-]{1,31}:[^\s<>]*|[\w.!#$%&'*+/=?^`{|}~-]+@[\w.-]+|br ?\/?|\/?(?:kbd|su[bp]|[biu]))>/, // an address in angles; the elements that are drawn
    /&(?:#x[\da-f]{1,6}|#\d{1,7}|[a-z]\w{1,31});/, // a character's name
    // A bare address; brackets, quotation marks and the stops of Chinese and Japanese end it: 〈-】 are 〈〉《》「」『』【】.
    /(?<![a-z\d@./-])(?:(?:https?:\/\/|www\.)(?=[^\s!-/:-@[-`{-~])|(?:mailto|tel|sms|whatsapp):(?=[\w+/]))(?:\[[^\s<>[\]]*\](?=[=[])|(?!\*\*)[^\s<>[\]"`，；：！？（）、。〈-】“-„«»])+/,
    /(?<![\w.+-])[\w.+-]+@[a-z\d_-]+(?:\.[a-z\d_-]+)+/, // an address of mail
  ]
    .map(({ source }) => source)
    .join("|"),
  "gi",
);

// At the end of a text that grows: what may become a mark, an address or a sign with the next token.
const UNDECIDED = /(?:(?<![\\*_~`!$])[\\*_~`!$]+[([]?|&#?\w{0,31}|<(?:!-?|\/?(?:[a-z][^\s<>]*)?))$/i;

interface Bracket {
  image: boolean;
  /** Where it stands among the parts; where its label begins in the text. */
  index: number;
  from: number;
}

/** Put what stands inside a block into trees. `live` text may still grow: what is open is shown as if closed. */
export const inline = (text: string, reading: Reading, live?: boolean): Tree[] => new InlineParser(text, reading, live).trees;

const words = (trees: Tree[]): string => trees.map((tree) => (typeof tree == "string" ? tree : words(tree.slice(2) as Tree[]))).join("");

class InlineParser {
  readonly trees: Tree[];
  #text: string;
  #reading: Reading;
  #live?: boolean;
  #at = 0;
  #parts: Part[] = [];
  #brackets: Bracket[] = [];
  #tags: [name: string, index: number][] = [];
  /** So many of the brackets stand before a link, and begin none themselves. */
  #used = 0;
  /** Sizes of runs of backticks that end no code from here on. */
  #unended = new Set<string>();

  constructor(text: string, reading: Reading, live?: boolean) {
    this.#text = live ? text.replace(UNDECIDED, "") : text;
    this.#reading = reading;
    this.#live = live;
    this.#read();
    const held = live && this.#brackets.find(({ from }) => this.#text.length - from < MAX_HELD);
    if (held) this.#cut(held.index);
    while (live && this.#tags[0]) this.#parts.push(this.#closeTag());
    matchRuns(this.#parts, live);
    this.trees = joinParts(this.#parts);
  }

  #read(): void {
    let token: RegExpExecArray | null;
    for (;;) {
      TOKEN.lastIndex = this.#at;
      token = TOKEN.exec(this.#text);
      this.#parts.push(this.#text.slice(this.#at, token?.index));
      if (!token) return;
      this.#at = TOKEN.lastIndex;
      this.#parts.push(this.#part(token[0], token.index));
    }
  }

  #part(token: string, from: number): Part {
    switch (token[0]) {
      case "\\":
        return this.#escape(token, from);
      case "`":
        return this.#code(token);
      case "*":
      case "_":
      case "~":
        return readRun(this.#text, from, token);
      case "$":
        return this.#formula(from, token);
      case "&":
        return unescape(token);
      case "\n":
        return this.#newline();
      case "]":
        return this.#closeBracket();
      case "[":
      case "!":
        this.#brackets.push({ image: token[0] == "!", index: this.#parts.length, from: this.#at });
        return token;
      case "<":
        return token == "<!--" ? this.#comment(token) : this.#angles(token.slice(1, -1));
    }
    return this.#bare(token, from);
  }

  #escape(token: string, from: number): Part {
    const [, sign = ""] = token;
    if (sign == "\n") {
      while (/[ \t]/.test(this.#text[this.#at] || "")) this.#at++;
      return ["br", {}];
    }
    if (sign == "(" || sign == "[") return this.#formula(from, sign == "(" ? "\\)" : "\\]");
    return unescape(token);
  }

  /** A formula stays as it is written. */
  #formula(from: number, end: string): Part {
    const text = this.#text;
    const inside = from + 2;
    const sign = text.slice(from, inside);
    if (/^\\[!-/:-@[-`{-~]/.test(text.slice(inside, inside + 2))) return unescape(sign);
    const at = this.#unended.has(end) ? -1 : text.indexOf(end, inside);
    if (at < 0) this.#unended.add(end);
    if (at == inside || (at < 0 && !this.#live)) return unescape(sign);
    this.#at = at < 0 ? text.length : at + 2;
    return ["code", { dir: "ltr" }, text.slice(from, this.#at)];
  }

  #code(ticks: string): Part {
    const from = this.#at;
    const ends = this.#unended.has(ticks) ? -1 : this.#endOfCode(ticks);
    if (ends < 0) {
      this.#unended.add(ticks);
      if (!this.#live) return ticks;
    }
    const said = this.#text.slice(from, ends < 0 ? undefined : ends).replace(/\n/g, " ");
    this.#at = ends < 0 ? this.#text.length : ends + ticks.length;
    return said && ["code", { dir: "auto" }, /^ .*[^ ].* $/.test(said) ? said.slice(1, -1) : said];
  }

  #endOfCode(ticks: string): number {
    const runs = /`+/g;
    let run: RegExpExecArray | null;
    runs.lastIndex = this.#at;
    while ((run = runs.exec(this.#text))) if (run[0] == ticks) return run.index;
    return -1;
  }

  #newline(): Part {
    const last = this.#parts.at(-1);
    if (typeof last != "string") return "\n";
    let { length } = last;
    while (last[length - 1] == " ") length--;
    this.#parts[this.#parts.length - 1] = last.slice(0, length);
    return last.length - length > 1 ? ["br", {}] : "\n";
  }

  #comment(token: string): Part {
    const at = this.#unended.has(token) ? -1 : this.#text.indexOf("-->", this.#at);
    if (at < 0) this.#unended.add(token);
    if (at < 0 && !this.#live) return token;
    this.#at = at < 0 ? this.#text.length : at + 3;
    return "";
  }

  #angles(inside: string): Part {
    const tag = inside.toLowerCase();
    if (/^br ?\/?$/.test(tag)) return ["br", {}];
    if (tag[0] == "/") return this.#tags.at(-1)?.[0] == tag.slice(1) ? this.#closeTag() : `<${inside}>`;
    if (/^\w+$/.test(tag)) {
      if (this.#tags.length < MAX_TAGS) this.#tags.push([tag, this.#parts.length]);
      return `<${inside}>`;
    }
    return link([/^[a-z][a-z\d+.-]+:/i.test(inside) ? inside : "mailto:" + inside], [inside], this.#reading);
  }

  #closeTag(): Part {
    const [name, index] = this.#tags.at(-1)!;
    return [name, {}, ...this.#cut(index)];
  }

  /** Take what stands behind a part, and the part, out of the parts; what was open there is closed. */
  #cut(index: number): Tree[] {
    const parts = this.#parts.splice(index).slice(1);
    while (this.#brackets.at(-1)?.index! >= index) this.#brackets.pop();
    while (this.#tags.at(-1)?.[1]! >= index) this.#tags.pop();
    this.#used = Math.min(this.#used, this.#brackets.length);
    matchRuns(parts);
    return joinParts(parts);
  }

  #bare(token: string, from: number): Part {
    const [shown, tree] = bareLink(token, this.#reading);
    // An address that may still grow leads elsewhere.
    if (!tree || (this.#live && this.#at == this.#text.length)) return unescape(token);
    this.#at = from + shown.length;
    return tree;
  }

  #closeBracket(): Part {
    const bracket = this.#brackets.at(-1);
    if (!bracket) return "]";
    const { image, index, from } = bracket;
    const cited = !image && this.#reading.grounds?.cite?.(this.#text, from, this.#at - 1);
    if (cited) return this.#citation(cited, bracket);
    const begins = image || this.#brackets.length > this.#used;
    const found = begins && findTarget(this.#text, from, this.#at, this.#reading, this.#live);
    if (!found) {
      // With the next token it may still be a link.
      if (begins && this.#live && this.#at == this.#text.length) return "]";
      this.#brackets.pop();
      this.#used = Math.min(this.#used, this.#brackets.length);
      return "]";
    }
    const [target, end] = found;
    this.#at = end;
    const trees = this.#cut(index);
    if (!image) this.#used = this.#brackets.length;
    // An image would tell its server what was said: it is shown as a link, to follow on purpose.
    if (image) return link(target, ["🖼 " + (words(trees).replace(/🖼 /g, "") || target[0])], this.#reading);
    return link(target, trees, this.#reading);
  }

  /** A number leads where the server says; the address that a model wrote behind it is dropped. */
  #citation(cited: Tree, { index, from }: Bracket): Part {
    const found = this.#text[this.#at] == "(" && findTarget(this.#text, from, this.#at, this.#reading, this.#live);
    if (found && /[/:#]/.test(found[0][0])) this.#at = found[1];
    this.#cut(index);
    return cited;
  }
}
