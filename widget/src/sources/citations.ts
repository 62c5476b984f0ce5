/** The numbers in an answer that cite a source. */

import { anchor } from "../anchor";
import type { Tree } from "../markdown/contract";
import type { Source } from "./list";

// Digits as keyboards write them; in ten signs of each row the last four bits count up, from 6 in Devanagari.
const NUMBER = "([\\d٠-٩۰-۹०-९０-９]{1,3})";
// "1", or "1, 2" of "[1, 2]": what the server takes for citations (`app/domain/grounding.py`).
const NUMBERS = RegExp(String.raw`^\s?${NUMBER}(?:\s?[,、，]\s?${NUMBER}){0,9}\s?$`);
const EACH = RegExp(NUMBER);
const MAX_LABEL = 99;

const toNumber = (digits: string): number =>
  [...digits].reduce((number, digit) => number * 10 + (digit.charCodeAt(0) & 15) - (/[०-९]/.test(digit) ? 6 : 0), 0);

/** The citation that text in brackets is, if it names a source; a number that names none stays text. */
export function cite(sources: Source[], text: string, from: number, to: number): Tree | undefined {
  const label = to - from < MAX_LABEL ? text.slice(from, to) : "";
  let found = 0;
  if (!NUMBERS.test(label)) return undefined;
  // Numbers stand between what separates them.
  const trees = label.split(EACH).map((part, i): Tree => {
    const source = i % 2 ? sources.find(({ n }) => n == toNumber(part)) : undefined;
    if (!source) return part;
    found++;
    return source.url ? anchor(source.url, source.title, part) : ["span", { title: source.title }, part];
  });
  return found ? ["sup", {}, "[", ...trees, "]"] : undefined;
}
