/** Where links lead: addresses beside their labels, and definitions elsewhere. */

import type { Grounds } from "./contract";

/** Where a link leads, and its title. */
export type Target = [address: string, title?: string];

/** The targets by the normal form of their labels. */
export type References = Map<string, Target>;

/** What the text of a block is read with. */
export interface Reading {
  references: References;
  /** A definition may still follow. */
  growing?: boolean;
  grounds?: Grounds;
}

// Named character references that models use; others stay as they are written.
const ENTITIES = new Map(
  [
    ..."amp&lt<gt>quot\"apos'nbsp\xa0copy©reg®trade™hellip…mdash—ndash–lsquo‘rsquo’ldquo“rdquo”laquo«raquo»bull•middot·times×divide÷minus−plusmn±deg°euro€pound£frac12½sup2²larr←uarr↑rarr→darr↓harr↔le≤ge≥ne≠asymp≈infin∞auml\xe4ouml\xf6uuml\xfcszlig\xdfeacute\xe9".matchAll(
      /(\w+)(\W)/g,
    ),
  ].map(([, name, sign]) => [name, sign]),
);

const decode = (all: string, name: string): string => {
  if (name[0] != "#") return ENTITIES.get(name) ?? all;
  const code = Number(/^#x/i.test(name) ? "0" + name.slice(1) : name.slice(1));
  return code && code < 0x110000 && (code < 0xd800 || code > 0xdfff) ? String.fromCodePoint(code) : "\ufffd";
};

/** Resolve escapes and character references. */
export const unescape = (text: string): string =>
  text.replace(/\\([!-/:-@[-`{-~])|&(#x[\da-f]{1,6}|#\d{1,7}|[a-z]\w{1,31});/gi, (all, escaped?: string, name?: string) => escaped ?? decode(all, name!));

const normal = (label: string): string => label.trim().replace(/\s+/g, " ").toLowerCase().toUpperCase();

const TITLE = String.raw`"(?:[^"\\]|\\[^])*"|'(?:[^'\\]|\\[^])*'|\((?:[^()\\]|\\[^])*\)`;
const DEFINITION = new RegExp(
  String.raw`^ {0,3}\[(?!\^)((?:[^\[\]\\]|\\[^]){1,999})\]:\s*(<(?:[^<>\n\\]|\\.)*>|[^\s<]\S*)(?:(?:[ \t]*\n[ \t]*|[ \t]+)(${TITLE}))?[ \t]*(?:\n|$)`,
);
const AFTER_ADDRESS = new RegExp(String.raw`(?:\s+(${TITLE}))?\s*\)`, "y");
const IN_ANGLES = /<((?:[^<>\n\\]|\\.)*)>/y;

const target = (address: string, title?: string): Target => [unescape(address), title && unescape(title.slice(1, -1))];

// The end of an address without angles: its brackets are balanced.
const endOfAddress = (text: string, from: number): number => {
  let depth = 0;
  let at = from;
  for (; at < text.length && text[at] > " " && text[at] != "\x7f"; at++) {
    if (text[at] == "\\" && text[at + 1] > " ") at++;
    else if (text[at] == "(" && ++depth > 32) break;
    else if (text[at] == ")" && !depth--) return at;
  }
  return depth > 0 ? from : at;
};

/** Take the definitions that a paragraph begins with; true if something is left of it. The first of a label counts. */
export function takeDefinitions(lines: string[], references: References): boolean {
  let text = lines.join("\n");
  let match: RegExpExecArray | null;
  if (text[0] != "[") return !!text;
  while ((match = DEFINITION.exec(text))) {
    const [all, label, address, title] = match;
    const key = normal(label);
    const inAngles = address[0] == "<";
    if (!key || !(inAngles || endOfAddress(address, 0) == address.length)) break;
    if (!references.has(key)) references.set(key, target(inAngles ? address.slice(1, -1) : address, title));
    text = text.slice(all.length);
  }
  lines.splice(0, lines.length, ...(text ? text.split("\n") : []));
  return !!text;
}

// Reads `address "title")`.
function readTarget(text: string, from: number): [Target, end: number] | undefined {
  while (/\s/.test(text[from] || "")) from++;
  let address: string;
  let at: number;
  if (text[from] == "<") {
    IN_ANGLES.lastIndex = from;
    const angles = IN_ANGLES.exec(text);
    if (!angles) return;
    address = angles[1];
    at = IN_ANGLES.lastIndex;
  } else {
    at = endOfAddress(text, from);
    address = text.slice(from, at);
  }
  AFTER_ADDRESS.lastIndex = at;
  const end = AFTER_ADDRESS.exec(text);
  return end ? [target(address, end[1]), AFTER_ADDRESS.lastIndex] : undefined;
}

const PARTIAL_TARGET = /\(\s*(?:<[^<>\n]*>?|[^\s<>]*)(?:\s+(?:["'(][^]*)?)?$/y;
const REFERENCE = /\[((?:[^[\]\\]|\\[^]){0,999})(\]|$)/y;
const MAX_LABEL = 999;
// Where a link will lead that is not whole yet: it is no address to follow.
const PENDING: Target = ["about:blank"];

/** Find where a label's link leads, and where the link ends. `live` text may still grow: half a target is one to come. */
export function findTarget(text: string, label: number, from: number, { references, growing }: Reading, live?: boolean): [Target, end: number] | undefined {
  if (text[from] == "(") {
    const found = readTarget(text, from + 1);
    if (found) return found;
    PARTIAL_TARGET.lastIndex = from;
    if (live && text.lastIndexOf("](") < from && PARTIAL_TARGET.test(text)) return [PENDING, text.length];
  }
  const said = text.slice(label, Math.min(from - 1, label + MAX_LABEL + 1));
  // "list[0][1]" and "said [1][2]" are most likely no links.
  const literal = /\w/.test(text[label - 2] || "") || /^\d+$/.test(said);
  REFERENCE.lastIndex = from;
  const [all = "", name, end] = REFERENCE.exec(text) || [];
  if (all && !end && live && !literal) return [PENDING, text.length];
  const found = references.size && said.length <= MAX_LABEL && references.get(normal((end && name) || said));
  if (found || (growing && end && !literal)) return [found || PENDING, from + (end ? all.length : 0)];
  return undefined;
}
