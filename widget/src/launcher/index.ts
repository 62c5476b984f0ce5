/** The script's entry: puts a widget on the page for each assistant, and answers `window.PerchChat`. */

import { TAG } from "../contract";
import { baseOf, findOptions } from "./options";
import { Widget, type Wish } from "./widget";

type Call = [name: string, ...values: unknown[]];
type Api = Record<string, (...values: never[]) => unknown>;

declare global {
  interface Window {
    PerchChat?: Api | Call[];
  }
}

const tell = (line: string): void => console.error("[perch] " + line);

class PerchElement extends HTMLElement {
  static readonly widgets = new Map<string, Widget>();
  declare onleave?: () => void;

  // What a page brings back from its cache has lost its life.
  connectedCallback(): void {
    if (!this.shadowRoot) this.remove();
  }

  disconnectedCallback(): void {
    this.onleave?.();
  }
}

/** Put a widget where it belongs, and back there when a single-page app took it along with the body. */
function settle(widget: Widget, placed: () => void): void {
  const { signal, options } = widget;
  const { inline } = options;
  const host = widget.host as PerchElement;
  const place = () => {
    const home = inline ? document.querySelector(inline) : document.body;
    if (signal.aborted) return watch.disconnect();
    if (!home || host.parentNode == home) return;
    home.append(host);
    placed();
    widget.mount();
  };
  host.onleave = () => setTimeout(place);
  const watch = new MutationObserver(place);
  if (inline || !document.body) watch.observe(document, { childList: true, subtree: true });
  place();
}

/** What pages may call. */
function apiOf(widget: Widget, destroy: () => void): Api {
  const { host, toggle, close } = widget;
  const wish =
    (name: Wish) =>
    (value = "") =>
      widget.wish(name, value);
  const api: Api = {
    open: () => widget.open(),
    close,
    toggle,
    send: wish("send"),
    reset: wish("reset"),
    identify: wish("identify"),
    on: (name: string, listener: EventListener) => host.addEventListener("perch:" + name, listener),
    off: (name: string, listener: EventListener) => host.removeEventListener("perch:" + name, listener),
    push: ([name, ...values]: Call) => api[name](...(values as never[])),
    destroy,
  };
  return api;
}

function start(widget: Widget, widgets: Map<string, Widget>): void {
  const known = window.PerchChat;
  const queue = Array.isArray(known) ? known : [];
  const api = apiOf(widget, () => {
    widgets.delete(widget.name);
    widget.destroy();
    if (window.PerchChat == api) delete window.PerchChat;
  });
  widgets.set(widget.name, widget);
  if (!known || known == queue) window.PerchChat = api;
  else if (!known.push) tell("PerchChat is taken: use PerchChatConfig");
  settle(widget, () => queue.splice(0).forEach(api.push as (call: Call) => unknown));
}

/** A short name for one assistant of one server. */
const nameOf = (text: string): string => ([...text].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 2 ** 40, 0)).toString(36);

function run(): void {
  if (!customElements.get(TAG)) customElements.define(TAG, PerchElement);
  const { widgets } = customElements.get(TAG) as typeof PerchElement;
  if (!widgets) return; // an older edition stands here already
  let found;
  for (const [options, tag] of findOptions()) {
    const { apiUrl, apiKey } = options;
    if (!apiUrl || !apiKey) continue;
    const base = baseOf(apiUrl);
    if (!base) return tell("No address: data-api-url=" + apiUrl);
    const name = nameOf(base + apiKey);
    found = true;
    if (!widgets.has(name)) return start(new Widget(options, base, tag?.src ? new URL(".", tag.src).href : base + "widget/", name), widgets);
    // A second run of the same tag changes nothing.
    if (document.currentScript) return;
  }
  if (!found) tell("The script tag needs data-api-url and data-api-key.");
}

run();
