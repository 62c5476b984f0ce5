/** Elements built without HTML strings: they pass strict CSP and Trusted Types. */

type Tags = HTMLElementTagNameMap;
type Child = Node | string | false | undefined;
type Attrs = Record<string, string | number | boolean | undefined | ((event: never) => void)>;

/** `["p", {}, "text", ["b", {}, "bold"]]`: an element as plain data. */
export type Tree = string | [name: string, attrs: Record<string, string | number | undefined>, ...children: Tree[]];

/**
 * Build an element: `h("button.send", { title: "Send", click: send }, icon)`.
 *
 * What follows the dot is the element's class, and its `::part` for the page's CSS. A function
 * is a listener; `undefined` and `false` attributes are left out.
 */
export function h<T extends keyof Tags>(name: T | `${T}.${string}`, attrs: Attrs = {}, ...children: Child[]): Tags[T] {
  const [tag, part] = name.split(".");
  const element = document.createElement(tag as T);
  if (part) set(element, { class: part, part });
  set(element, attrs);
  element.append(...children.filter((child) => child || child === "") as (Node | string)[]);
  return element;
}

/** Set attributes and listeners; `undefined` and `false` remove one. */
export function set(element: Element, attrs: Attrs): void {
  for (const [name, value] of Object.entries(attrs)) {
    if (typeof value == "function") element.addEventListener(name, value as EventListener);
    else if (value === undefined || value === false) element.removeAttribute(name);
    else element.setAttribute(name, value === true ? "" : "" + value);
  }
}

const PATHS = {
  chat: "M4 20l1.3-3.9A8 8 0 1 1 8.4 19zM9 12h.01M12.5 12h.01M16 12h.01",
  close: "M6 6l12 12M18 6L6 18",
  fold: "M6 9l6 6 6-6",
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M8 8h8v8H8z",
  more: "M5 12h.01M12 12h.01M19 12h.01",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  check: "M5 12l5 5 9-10",
  thumb: "M7 10v10H3V10zl4-7c2 0 3 1.500 2.500 3.500L13 9.500h6l1 1.500-2 9H7",
  again: "M20 11.500A8 8 0 1 0 17.700 17.700M20 5v6.500h-6.500",
};

/** A name of `PATHS`. */
export type Icon = keyof typeof PATHS;

const SVG = "http://www.w3.org/2000/svg";

/** Draw an icon; assistive technology does not see it. */
export function icon(name: Icon): SVGElement {
  const svg = document.createElementNS(SVG, "svg");
  const path = document.createElementNS(SVG, "path");
  set(svg, { viewBox: "0 0 24 24", "aria-hidden": "true" });
  set(path, { d: PATHS[name] });
  svg.append(path);
  return svg;
}

/** Build a button that shows an icon and is called `label`. */
export function button(part: string, label: string, name: Icon, click: (event: MouseEvent) => void): HTMLButtonElement {
  return h(`button.${part}`, { type: "button", "aria-label": label, title: label, click }, icon(name));
}
