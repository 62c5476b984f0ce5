/** Elements built without HTML strings: they pass strict CSP and Trusted Types. */

type Tags = HTMLElementTagNameMap;

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

/** Give a shadow root a style sheet more. */
export function adopt(root: ShadowRoot, css: string): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  root.adoptedStyleSheets.push(sheet);
}

/** Draw an icon of this path; assistive technology does not see it. */
export function drawing(outline: string): Element {
  const [svg, path] = ["svg", "path"].map((tag) => document.createElementNS("http://www.w3.org/2000/svg", tag));
  path.setAttribute("d", outline);
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.append(path);
  return svg;
}

export const BUBBLE = "M4 20l1-4a8 8 0 1 1 3 3zM9 12h0M12 12h0M15 12h0";
export const CHEVRON = "M6 9l6 6 6-6";
export const CROSS = "M6 6l12 12M18 6L6 18";

/** An owner's image, or our own where there is none or it does not come. */
export function picture(source?: string): Node {
  if (!source) return drawing(BUBBLE);
  const image: HTMLImageElement = h("img", { src: source, alt: "", onerror: () => image.replaceWith(drawing(BUBBLE)) });
  return image;
}
