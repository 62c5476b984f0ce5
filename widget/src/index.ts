/** The script's entry: reads its own tag, puts the widget on the page, and answers `window.PerchChat`. */

import { createChat } from "./chat";
import { readOptions } from "./options";

type Call = [name: string, ...values: unknown[]];
type Api = Record<string, (...values: never[]) => unknown>;

const TAG = "perch-chat";

class PerchElement extends HTMLElement {
  onLeave?: () => void;

  disconnectedCallback(): void {
    this.onLeave?.();
  }
}

function start(script: HTMLOrSVGElement & { src?: string }, queue: Call[]): void {
  const options = readOptions(script);
  if (!options) {
    console.error("[perch] The script tag needs data-api-url and data-api-key.");
    return;
  }
  if (!customElements.get(TAG)) customElements.define(TAG, PerchElement);
  const host = document.createElement(TAG) as PerchElement;
  const chat = createChat(host, options, (script.src || "").replace(/[^/]*$/, ""));

  // A single-page app may replace the body, or bring the inline widget's place later.
  const place = () => {
    const home = options.inline ? document.querySelector(options.inline) : document.body;
    if (home && host.parentNode != home) home.append(host);
  };
  const watch = new MutationObserver(place);
  if (options.inline) watch.observe(document, { childList: true, subtree: true });
  host.onLeave = () => setTimeout(place);

  const api: Api = {
    ...chat.api,
    on: (name: string, listener: EventListener) => host.addEventListener("perch:" + name, listener),
    off: (name: string, listener: EventListener) => host.removeEventListener("perch:" + name, listener),
    destroy: () => {
      host.onLeave = undefined;
      watch.disconnect();
      chat.destroy();
      host.remove();
      delete window.PerchChat;
    },
    push: ([name, ...values]: Call) => api[name]?.(...(values as never[])),
  };
  window.PerchChat = api;
  queue.forEach(api.push as (call: Call) => unknown);
  const mount = () => (place(), chat.start());
  if (document.body) mount();
  else addEventListener("DOMContentLoaded", mount);
}

declare global {
  interface Window {
    PerchChat?: Api | Call[];
  }
}

const script = document.currentScript || document.querySelector<HTMLScriptElement>("script[data-api-url]");
const known = window.PerchChat;
// A second tag, or a second run of the first, finds the widget in its place.
if (!known || Array.isArray(known)) start(script!, known || []);
