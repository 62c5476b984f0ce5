/** Elements built without HTML strings: they pass strict CSP and Trusted Types. */

import { texts, type TextName } from "./texts";

type Tags = HTMLElementTagNameMap;

/** `["p", {}, "text", ["b", {}, "bold"]]`: an element as plain data. */
export type Tree = string | [name: string, props: Record<string, string | number>, ...children: Tree[]];

/**
 * Build an element: `h("p.note", { title: "Why" }, "Text")`.
 *
 * What follows the dot is the element's class, and its `::part` for the page's CSS.
 */
export function h<T extends keyof Tags>(name: T | `${T}.${string}`, props: Partial<Tags[T]> = {}, ...children: (Node | string)[]): Tags[T] {
  const [tag, part] = name.split(".");
  const element = Object.assign(document.createElement(tag as T), part && { className: part, part }, props);
  element.append(...children);
  return element;
}

const CHEVRON = "M6 9l6 6 6-6";
const THUMB = "M7 11v9H3v-9zl4-8c2 0 3 2 2 6h7l-2 11H7";

const ICONS: Partial<Record<string, string>> = {
  chat: "M4 20l1-4a8 8 0 1 1 3 3zM9 12h0M12 12h0M15 12h0",
  close: "M6 6l12 12M18 6L6 18",
  latest: CHEVRON,
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  menu: "M5 12h0M12 12h0M19 12h0",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  copied: "M5 12l5 5 9-10",
  up: THUMB,
  down: THUMB,
  again: "M20 5v6h-6M19 11a8 8 0 1 0-1 6",
};

/** Draw an icon; assistive technology does not see it. */
export function icon(name: string): Element {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  path.setAttribute("d", ICONS[name]!);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.append(path);
  return svg;
}

/** Build the button of a name: its text is shown, or spoken where there is an icon for it. */
export function button(name: TextName, onclick: () => unknown): HTMLButtonElement {
  const title = texts[name];
  return ICONS[name] ? h(`button.${name}`, { onclick, title }, icon(name)) : h(`button.${name}`, { onclick }, title);
}

/** An owner's image, or our own. */
export const picture = (source?: string): Node => (source ? h("img", { src: source, alt: "" }) : icon("chat"));
