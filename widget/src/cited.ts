/** What stands under an answer: the sources that it cites, and whether it is the owner's own. */

import { button, h } from "./dom";
import type { Source } from "./sources";
import { texts } from "./texts";
import type { Message } from "./transcript";

// The others are a press away.
const MAX_SHOWN = 3;

const createChip = ({ n, title, url }: Source): HTMLElement => {
  // The title's direction is the chip's: it is cut where it ends.
  const props = { dir: "auto", title: url?.replace(/^https?:\/\//, "") || title };
  return url
    ? h("a.source", { ...props, href: url, target: "_blank", rel: "noopener noreferrer nofollow" }, `${n} ${title}`)
    : h("span.source", { ...props, tabIndex: -1 }, `${n} ${title}`);
};

const createList = (sources: Source[]): Node[] => {
  const items = sources.map((source, i) => h("li", { hidden: i >= MAX_SHOWN }, createChip(source)));
  const more = button("more", () => {
    for (const item of items) item.hidden = false;
    last.remove();
    (items[MAX_SHOWN].firstChild as HTMLElement).focus();
  });
  more.textContent = texts.more.replace("{n}", `${sources.length - MAX_SHOWN}`);
  const last = h("li", { hidden: sources.length <= MAX_SHOWN }, more);
  // Where lists show no markers, Safari takes them for none.
  return [h("p", { ariaHidden: "true" }, texts.sources), h("ul", { role: "list", ariaLabel: texts.sources }, ...items, last)];
};

/** Build what stands there, empty; the function draws a message's, once the answer has ended. */
export function createCited(): [HTMLElement, draw: (message: Message) => void] {
  const element = h("div.cited");
  let drawn = "";
  const draw = ({ sources = [], answeredBy, status }: Message) => {
    const wanted = status ? JSON.stringify([sources, answeredBy]) : "";
    if (wanted == drawn) return;
    drawn = wanted;
    // Before its end an answer has cited nothing for certain.
    const owner = status && answeredBy == "owner" ? [h("p.owner", {}, texts.owner)] : [];
    element.replaceChildren(...owner, ...(status && sources.length ? createList(sources) : []));
  };
  return [element, draw];
}
