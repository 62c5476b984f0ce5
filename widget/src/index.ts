/** The script's entry: puts the widget on the page, and answers `window.PerchChat`. */

import { createChat } from "./chat";
import { options } from "./options";

type Call = [name: string, ...values: unknown[]];
type Api = Record<string, (...values: never[]) => unknown>;

declare global {
  interface Window {
    PerchChat?: Api | Call[];
  }
}

const TAG = "perch-chat";

class PerchElement extends HTMLElement {
  declare onLeave?: () => void;

  disconnectedCallback(): void {
    this.onLeave?.();
  }
}

function start(queue: Call[] = []): void {
  if (!options.apiUrl || !options.apiKey) return console.error("[perch] The script tag needs data-api-url and data-api-key.");
  if (!customElements.get(TAG)) customElements.define(TAG, PerchElement);
  const host = document.createElement(TAG) as PerchElement;
  const { mount, destroy, api } = createChat(host);

  // A single-page app may replace the body, or bring the inline widget's place later.
  const place = () => {
    const home = options.inline ? document.querySelector(options.inline) : document.body;
    if (!home || host.parentNode == home) return;
    home.append(host);
    queue.splice(0).forEach(all.push as (call: Call) => unknown);
    mount();
  };
  const watch = new MutationObserver(place);
  host.onLeave = () => setTimeout(place);

  const all: Api = {
    ...api,
    on: (name: string, listener: EventListener) => host.addEventListener("perch:" + name, listener),
    off: (name: string, listener: EventListener) => host.removeEventListener("perch:" + name, listener),
    push: ([name, ...values]: Call) => all[name](...(values as never[])),
    destroy: () => {
      host.onLeave = undefined;
      watch.disconnect();
      destroy();
      host.remove();
      delete window.PerchChat;
    },
  };
  window.PerchChat = all;
  if (options.inline || !document.body) watch.observe(document, { childList: true, subtree: true });
  place();
}

// A second tag, or a second run of the first, finds the widget in its place.
const known = window.PerchChat;
if (!known || Array.isArray(known)) start(known);
