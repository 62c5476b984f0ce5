/** What stands under an answer: the sources that it cites, and whether it is the owner's own. */

import { h } from "../elements";
import type { Message } from "../transcript";
import type { Kit } from "./contract";
import type { Source } from "./list";

// The others are a press away.
const MAX_SHOWN = 3;

const createChip = ({ n, title, url }: Source): HTMLElement => {
  // The title's direction is the chip's: it is cut where it ends.
  const props = { dir: "auto", title: url?.replace(/^https?:\/\//, "") || title };
  return url
    ? h("a.source", { ...props, href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, `${n} ${title}`)
    : h("span.source", { ...props, tabIndex: -1 }, `${n} ${title}`);
};

const createList = (sources: Source[], texts: Kit["texts"]): Node[] => {
  const items = sources.map((source, i) => h("li", { hidden: i >= MAX_SHOWN }, createChip(source)));
  const onclick = () => {
    for (const item of items) item.hidden = false;
    last.remove();
    (items[MAX_SHOWN].firstChild as HTMLElement).focus();
  };
  const more = h("button.more", { onclick }, texts.more.replace("{n}", `${sources.length - MAX_SHOWN}`));
  const last = h("li", { hidden: sources.length <= MAX_SHOWN }, more);
  // Where lists show no markers, Safari takes them for none.
  return [h("p", { ariaHidden: "true" }, texts.sources), h("ul", { role: "list", ariaLabel: texts.sources }, ...items, last)];
};

/** Draws what stands there, once the answer has ended; what did not change is not drawn again. */
export class Cited {
  readonly #texts: Kit["texts"];
  readonly #drawn = new WeakMap<HTMLElement, string>();

  constructor(texts: Kit["texts"]) {
    this.#texts = texts;
  }

  show(element: HTMLElement, { sources = [], answeredBy, status }: Message): void {
    const wanted = status ? JSON.stringify([sources, answeredBy]) : "";
    if (wanted == (this.#drawn.get(element) || "")) return;
    this.#drawn.set(element, wanted);
    // Before its end an answer has cited nothing for certain.
    const owner = status && answeredBy == "owner" ? [h("p.owner", {}, this.#texts.owner)] : [];
    element.replaceChildren(...owner, ...(status && sources.length ? createList(sources, this.#texts) : []));
  }
}
