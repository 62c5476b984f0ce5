/** What the page's owner chose: the script tag's `data-*` attributes, or `window.PerchChatConfig`. */

import { h } from "../elements";

/** All options; one that is empty or makes no sense is not set, and those that are a choice are in small letters. */
export interface Options {
  apiUrl?: string;
  apiKey?: string;
  position?: string;
  accentColor?: string;
  theme?: string;
  size?: string;
  launcher?: string;
  launcherIcon?: string;
  avatar?: string;
  starters?: string;
  locale?: string;
  dir?: string;
  greeting?: string;
  open?: string;
  zIndex?: string;
  inline?: string | Element;
  page?: string;
  texts?: string;
  title?: string;
  welcomeMessage?: string;
  inputPlaceholder?: string;
  disclosure?: string;
  privacyUrl?: string;
  contact?: string;
  datalayer?: string;
  dataLayer?: string;
}

type Given = Record<string, unknown>;

const CHOICE = /^(position|theme|size|dir|open|launcher|page)$/;

const SENSIBLE: Record<string, (value: string) => boolean> = {
  accentColor: (value) => CSS.supports("color", value),
  inline: (value) => CSS.supports(`selector(:not(${value}))`),
};

/** Read the options; nothing that a page says makes it throw. */
export function readOptions(given: Given): Options {
  const options: Given = {};
  for (const [name, value] of Object.entries(given)) {
    const text = `${Array.isArray(value) ? value.join("|") : Object(value) === value ? JSON.stringify(value) : (value ?? "")}`.trim();
    const chosen = CHOICE.test(name) ? text.toLowerCase() : text;
    if (chosen && (SENSIBLE[name]?.(chosen) ?? true)) options[name] = chosen;
  }
  return options;
}

/** Where the server is mounted, said by the address of its chat; nothing for what is no web address. */
export function baseOf(apiUrl: string): string | false {
  const { protocol, origin, pathname } = h("a", { href: apiUrl });
  return /^http/.test(protocol) && origin + pathname.replace(/\/+$/, "").replace(/(\/v1)?(\/chat(\/stream)?)?$/, "/");
}

/** What was chosen, the likeliest first, with the tag that says where the script's other files are. */
export function findOptions(): [Options, HTMLScriptElement?][] {
  const tags = [document.currentScript, ...document.querySelectorAll('script[src*="chat-widget.js"],script[data-api-url]')] as HTMLScriptElement[];
  const named = tags.filter((tag) => tag?.dataset.apiUrl).map((tag): [Given, HTMLScriptElement] => [tag.dataset, tag]);
  const config = (window as { PerchChatConfig?: Given }).PerchChatConfig;
  return [...named, [Object(config), tags[0] || tags[1]] as [Given, HTMLScriptElement?]].map(([given, tag]) => [readOptions(given), tag]);
}
