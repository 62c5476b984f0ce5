/**
 * What the panel and the part that shows sources know of each other.
 *
 * A browser may bring together two editions of them, as with launcher and panel:
 * names and meanings here only grow, and none may be one that the build shortens.
 */

import type { Tree } from "../markdown/contract";
import type { Message } from "../transcript";
import type { Source } from "./list";

/** What the panel lends. */
export interface Kit {
  readonly root: ShadowRoot;
  /** All texts in use. */
  readonly texts: Record<"sources" | "more" | "owner", string>;
}

/** The part that shows sources. */
export interface Citing {
  /** The citation that text in brackets is, if it names one of the sources; a number that names none stays text. */
  cite(sources: Source[], text: string, from: number, to: number): Tree | undefined;
  /** Draw what stands under a message. */
  show(element: HTMLElement, message: Message): void;
}
