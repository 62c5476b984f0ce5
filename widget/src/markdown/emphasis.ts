/** Runs of `*`, `_` and `~`: which of them open and close what. CommonMark's and GFM's rules; linear time. */

import type { Tree } from "./contract";

/** A run of marks. Those that are `left` after all pairs were found are text. */
export interface Run {
  mark: string;
  size: number;
  left: number;
  opens: boolean;
  closes: boolean;
  /** Of one that opens: it will most likely be closed. */
  likely: boolean;
  /** How many elements end here, and the names of those that begin here, the inner ones first. */
  ended: number;
  begun: string[];
}

export type Part = Tree | Run;

const SPACE = /^\s?$/;
const MARK = /[\p{P}\p{S}]/u;
// Scripts without spaces between words: "**重要：**请" ends its emphasis, though CommonMark says no.
const UNSPACED = /[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}]/u;

export const isRun = (part: Part): part is Run => typeof part == "object" && "mark" in part;

/** Read a run of marks by what stands before and after it. */
export function readRun(text: string, from: number, marks: string): Run {
  const [mark] = marks;
  const { length: size } = marks;
  const before = [...text.slice(Math.max(0, from - 2), from)].at(-1) || "";
  const [after = ""] = text.slice(from + size, from + size + 2);
  const loose = (sign: string) => SPACE.test(sign) || MARK.test(sign) || UNSPACED.test(sign);
  const leading = !SPACE.test(after) && (!MARK.test(after) || loose(before));
  const trailing = !SPACE.test(before) && (!MARK.test(before) || loose(after));
  const inWord = leading && trailing && mark == "_";
  const real = mark != "~" || size < 3;
  return {
    mark,
    size,
    left: size,
    opens: real && leading && (!inWord || MARK.test(before)),
    closes: real && trailing && (!inWord || MARK.test(after)),
    // Not so inside a word, "2*3", or for "about".
    likely: (mark != "~" || size == 2) && loose(before),
    ended: 0,
    begun: [],
  };
}

const fits = (opener: Run, closer: Run): boolean =>
  opener.mark == closer.mark &&
  (opener.mark == "~"
    ? opener.size == closer.size
    : !((opener.closes || closer.opens) && (opener.size + closer.size) % 3 == 0) || (opener.size % 3 == 0 && closer.size % 3 == 0));

const pair = (opener: Run, closer: Run): void => {
  const width = opener.mark == "~" ? opener.size : Math.min(2, opener.left, closer.left);
  opener.left -= width;
  closer.left -= width;
  closer.ended++;
  opener.begun.push(opener.mark == "~" ? "del" : width > 1 ? "strong" : "em");
};

/** Find the pairs among these parts. What is open at the end of `live` text will most likely be closed. */
export function matchRuns(parts: Part[], live?: boolean): void {
  const openers: [Run, index: number][] = [];
  // By kind of closer: below these indexes nothing opens it, so nobody looks again.
  const searched: Record<string, number> = {};
  parts.filter(isRun).forEach((closer, index) => {
    const kind = closer.mark + closer.opens + (closer.mark == "~" ? closer.size : closer.size % 3);
    while (closer.closes && closer.left) {
      const bottom = searched[kind] || 0;
      const at = openers.findLastIndex(([opener, index]) => index < bottom || fits(opener, closer));
      const [opener, found] = openers[at] || [closer, -1];
      if (found < bottom) {
        searched[kind] = index;
        break;
      }
      pair(opener, closer);
      openers.length = at + (opener.left ? 1 : 0);
    }
    if (closer.opens && closer.left) openers.push([closer, index]);
  });
  for (const [opener] of live ? openers : []) while (opener.likely && opener.left) pair(opener, { ...opener, left: 2 });
}

// What is nested deeper is shown plainly: walking it would take the stack.
const MAX_DEPTH = 24;

/** Put the parts together: elements around what stands between their marks. */
export function joinParts(parts: Part[]): Tree[] {
  const open: [name: string, trees: Tree[]][] = [["", []]];
  const add = (tree: Tree) => {
    const [, trees] = open.at(-1)!;
    const last = trees.at(-1);
    if (typeof tree == "string" && typeof last == "string") trees[trees.length - 1] = last + tree;
    else if (tree) trees.push(tree);
  };
  const end = () => {
    const [name, trees] = open.pop()!;
    if (name && trees.length) add([name, {}, ...trees]);
  };
  for (const part of parts) {
    if (!isRun(part)) {
      add(part);
      continue;
    }
    for (; part.ended; part.ended--) end();
    add(part.mark.repeat(part.left));
    for (const name of part.begun.reverse()) open.push(open.length > MAX_DEPTH ? ["", open.at(-1)![1]] : [name, []]);
  }
  while (open[1]) end();
  return open[0][1];
}
