/** What an answer was read from, as the server sent it, and what may be linked there. */

import type { Grounds } from "../markdown/contract";

/** A document that was given to an answer. One without an address is a file, or a text of the owner's. */
export interface Source {
  n: number;
  title: string;
  url?: string;
}

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
export const toGrounds = (sources: Source[], addresses: string[], cite?: Grounds["cite"]): Grounds => ({
  cite,
  hosts: new Set([...addresses, ...sources.flatMap(({ url }) => url || [])].map((address) => new URL(address).host)),
});
