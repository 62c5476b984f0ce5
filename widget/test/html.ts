/** Trees as HTML, and what is expected as we show it: for tests only. */

import type { Grounds, Tree } from "../src/markdown/contract";
import { parse } from "../src/markdown/trees";

const BASE = "https://page.test/";
const SAFE = /^(?:https?|mailto|tel|sms|whatsapp):$/;
const VOID = ["br", "hr", "input"];

// Addresses are relative to a page, as in a browser.
Object.assign(globalThis, { document: { baseURI: BASE } });

const escape = (text: string): string => text.replace(/&/g, "&amp;").replace(/</g, "&lt;").replace(/>/g, "&gt;").replace(/"/g, "&quot;");

// Brackets may stand in an address or not: renderers differ.
const written = (address: string): string => escape(address.replace(/[[\]]/g, encodeURIComponent));

const attributes = (props: Record<string, string | number>, names: string[]): string =>
  names
    .filter((name) => (props[name] ?? "") !== "")
    .map((name) => ` ${name}="${(name == "href" ? written : escape)(String(props[name]))}"`)
    .join("");

const table = (rows: string[]): string => `<table><thead>${rows[0]}</thead>${rows[1] ? `<tbody>${rows.slice(1).join("")}</tbody>` : ""}</table>`;

const element = (name: string, props: Record<string, string | number>, children: Tree[], tight?: boolean): string => {
  const [tag, part = ""] = name.split(".");
  const inside = children.map((child) => toHtml(child, tight));
  if (tag == "h3") return `<${part}>${inside.join("")}</${part}>`;
  if (tag == "div" || tag == "label") return inside.join("");
  if (tag == "table") return table(inside);
  if (tag == "p" && tight) return inside.join("");
  if (tag == "input") return `<input${props.checked ? ' checked=""' : ""} disabled="" type="checkbox">`;
  if (tag == "code" && props.className != undefined)
    return `<code${props.className ? ` class="${escape(String(props.className))}"` : ""}>${inside.join("")}${inside.join("") && "\n"}</code>`;
  if (tag == "ol" && props.start == 1) delete props.start;
  const shown = attributes(props, ["align", "href", "start", "title"]);
  return VOID.includes(tag) ? `<${tag}${shown} />` : `<${tag}${shown}>${inside.join("")}</${tag}>`;
};

/** Write a tree as the specifications do, without white space between blocks. */
export function toHtml(tree: Tree, tight?: boolean): string {
  if (typeof tree == "string") return escape(tree);
  const [name, props, ...children] = tree;
  const list = name == "ul" || name == "ol";
  return element(name, props, children, list ? !props.className : tight && !/blockquote/.test(name));
}

/** Show a text as HTML. */
export const html = (text: string, growing?: boolean, grounds?: Grounds): string =>
  parse(text, growing, grounds)
    .map(([, build]) => toHtml(build()))
    .join("");

const BLOCKS = "p|h[1-6]|[uo]l|li|blockquote|pre|hr|table|thead|tbody|tr|th|td";

const decode = (text: string): string => text.replace(/&quot;/g, '"').replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");

const anchor = (address: string, title: string, shown: string): string => {
  const { href, protocol } = new URL(decode(address), BASE);
  return SAFE.test(protocol) ? `<a href="${written(href)}"${title}>${shown}</a>` : `<span>${shown}</span>`;
};

const IMAGE = /<img src="([^"]*)" alt="([^"]*)"( title="[^"]*")? \/>/g;

/** What a specification expects, as we show it: images are links, an unsafe address is only its words, comments are dropped. */
export function expected(html: string): string {
  return html
    .replace(/<a href="([^"]*)"( title="[^"]*")?>([^]*?)<\/a>/g, (_, href, title = "", shown: string) =>
      anchor(href, title, shown.replace(IMAGE, (_, src, alt) => `<span>🖼 ${alt || src}</span>`)),
    )
    .replace(IMAGE, (_, src, alt, title = "") => anchor(src, title, `🖼 ${alt || src}`))
    .replace(/<!--.*?-->/g, "")
    .replace(new RegExp(`\n*(</?(?:${BLOCKS})(?: [^>]*)?>)\n*`, "g"), "$1")
    .replace(/<br \/>\n/g, "<br />");
}
