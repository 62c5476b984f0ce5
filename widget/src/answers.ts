/** Draws what an answer says: plainly, until the parts that read it are there. */

import { copyButton } from "./copying";
import type { Grounds, Reader } from "./markdown/contract";
import { Part } from "./part";
import { shell } from "./shell";
import type { Citing } from "./sources/contract";
import { toGrounds } from "./sources/list";
import { texts } from "./texts";
import type { Message } from "./transcript";

declare const MARKDOWN_FILE: string;
declare const SOURCES_FILE: string;

// What is stored is not shown plainly and at once otherwise, if that is a matter of moments.
const PATIENCE_MS = 1000;

/** The element of an answer's text, and what stands in it. */
export interface Painting {
  text: HTMLElement;
  painted?: string;
  /** The sources that were known then, and what they make of its links. */
  known?: string;
  grounds?: Grounds;
  plain?: boolean;
}

const hasSources = ({ sources, answeredBy }: Message): unknown => sources?.length || answeredBy == "owner";

// Text that a visitor is marking is let alone.
const isMarked = (text: Node): boolean => {
  const [range] = getSelection()?.getComposedRanges?.({ shadowRoots: [shell.host.shadowRoot!] }) || [];
  return !!range && !range.collapsed && (text.contains(range.startContainer) || text.contains(range.endContainer));
};

const writePlain = (text: HTMLElement, content: string): void => {
  const { firstChild } = text;
  if (firstChild instanceof Text && content.startsWith(firstChild.data)) firstChild.appendData(content.slice(firstChild.length));
  else text.textContent = content;
};

export class Answers {
  readonly #markdown: Part<Reader>;
  readonly #citing: Part<Citing>;
  readonly #redraw: () => void;

  constructor(redraw: () => void) {
    const root = shell.host.shadowRoot!;
    this.#redraw = redraw;
    this.#markdown = new Part(MARKDOWN_FILE, () => ({ root, copyButton }), redraw);
    this.#citing = new Part(SOURCES_FILE, () => ({ root, texts }), redraw);
  }

  /** Fetch what these messages are drawn with; it ends when that is there, will not come, or takes too long. */
  ready(messages: Message[]): Promise<unknown> {
    const parts = [this.#markdown.want(), messages.some(hasSources) && this.#citing.want()];
    return Promise.race([Promise.all(parts), new Promise((done) => setTimeout(done, PATIENCE_MS))]);
  }

  /** Bring an answer's text up to date. */
  paint(painting: Painting, message: Message, live: boolean): void {
    const { content, sources } = message;
    const { text } = painting;
    void this.#markdown.want();
    if (hasSources(message)) void this.#citing.want();
    const citing = this.#citing.here;
    const marked = painting.plain && isMarked(text);
    const reader = marked ? undefined : this.#markdown.here;
    const known = `${JSON.stringify(sources)} ${!!citing}`;
    const painted = `${known} ${live} ${!!reader} ${content}`;
    if (marked) document.addEventListener("selectionchange", this.#redraw, { once: true, signal: shell.signal });
    if (painting.painted == painted) return;
    if (painting.known != known) painting.grounds = sources && toGrounds(sources, [location.href, shell.base], citing && ((...at) => citing.cite(sources, ...at)));
    Object.assign(painting, { painted, known, plain: !reader });
    if (reader) reader.paint(text, content, live, painting.grounds);
    else writePlain(text, content);
  }

  /** Draw what stands under an answer. */
  cite(element: HTMLElement, message: Message): void {
    this.#citing.here?.show(element, message);
  }
}
