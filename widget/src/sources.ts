/** Where an answer was read: the sources that the server sent with it, and the numbers that cite them. */

import type { Tree } from "./dom";

/** A document that was given to an answer. One without an address is a file, or a text of the owner's. */
export interface Source {
  n: number;
  title: string;
  url?: string;
}

/** What an answer's links are held against; an answer without it may link anywhere. */
export interface Grounds {
  sources: Source[];
  /** The hosts that may be linked, with their ports. */
  hosts: Set<string>;
}

// Digits as keyboards write them; in ten signs of each row the last four bits count up, from 6 in Devanagari.
const NUMBER = "([\\d٠-٩۰-۹०-९０-９]{1,3})";
// "1", or "1, 2" of "[1, 2]": what the server takes for citations (`app/domain/grounding.py`).
const NUMBERS = RegExp(String.raw`^\s?${NUMBER}(?:\s?[,、，]\s?${NUMBER}){0,9}\s?$`);
const EACH = RegExp(NUMBER);
const MAX_LABEL = 99;

const toNumber = (digits: string): number =>
  [...digits].reduce((number, digit) => number * 10 + (digit.charCodeAt(0) & 15) - (/[०-९]/.test(digit) ? 6 : 0), 0);

const toUrl = (address: unknown): string | undefined => {
  try {
    const { protocol, href } = new URL(address as string);
    if (/^https?:$/.test(protocol)) return href;
  } catch {
    // not an address: the title stands without one
  }
  return undefined;
};

/** Read the server's sources; `undefined` where it sent none, which is another thing than an empty list. */
export const toSources = (list: unknown): Source[] | undefined =>
  Array.isArray(list)
    ? list
        .map(Object)
        .filter(({ n, title }) => Number.isInteger(n) && typeof title == "string")
        .map(({ n, title, url }) => ({ n, title, url: toUrl(url) }))
    : undefined;

/** Say what may be linked in an answer that was given these sources: they, and pages of these addresses' hosts. */
export const toGrounds = (sources: Source[], ...addresses: string[]): Grounds => ({
  sources,
  hosts: new Set([...addresses, ...sources.flatMap(({ url }) => url || [])].map((address) => new URL(address).host)),
});

/** An element that leads to an address, in a new tab. */
export const anchor = (href: string, title: string, ...shown: Tree[]): Tree => [
  "a",
  { href, title, target: "_blank", rel: "noopener noreferrer nofollow" },
  ...shown,
];

/** The citation that text in brackets is, if it names a source; a number that names none stays text. */
export function cite(text: string, from: number, to: number, { sources }: Grounds): Tree | undefined {
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
