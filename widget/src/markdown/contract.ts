/**
 * What the panel and the part that reads Markdown know of each other.
 *
 * A browser may bring together two editions of them, as with launcher and panel:
 * names and meanings here only grow, and none may be one that the build shortens.
 */

/** `["p", {}, "text", ["b", {}, "bold"]]`: an element as plain data. */
export type Tree = string | [name: string, props: Record<string, string | number>, ...children: Tree[]];

/** What an answer's links are held against; an answer without it may link anywhere. */
export interface Grounds {
  /** The hosts that may be linked, with their ports. */
  hosts: Set<string>;
  /** The citation that text in brackets is, if it names a source. */
  cite?: (text: string, from: number, to: number) => Tree | undefined;
}

/** What the panel lends. */
export interface Kit {
  readonly root: ShadowRoot;
  /** Build a button that copies a text. */
  copyButton(source: () => string | null): HTMLElement;
}

/** The part that reads Markdown. */
export interface Reader {
  /** Bring an element up to date with a text; one that is `live` may still grow. */
  paint(element: HTMLElement, content: string, live: boolean, grounds?: Grounds): void;
}
