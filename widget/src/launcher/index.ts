/** The script's entry: puts a widget on the page for each assistant, and answers `window.PerchChat`. */

import { apiOf, type Api, type Call } from "./api";
import { baseOf, findOptions } from "./options";
import { findWidgets, nameOf, settle } from "./page";
import { Widget } from "./widget";


declare global {
  interface Window {
    PerchChat?: Api | Call[];
  }
}

const tell = (line: string): void => console.error("[perch] " + line);

function start(widget: Widget, widgets: Map<string, Widget>): void {
  const known = window.PerchChat;
  const queue = Array.isArray(known) ? known : [];
  const api = apiOf(widget);
  widget.signal.onabort = () => {
    widgets.delete(widget.name);
    if (window.PerchChat == api) delete window.PerchChat;
  };
  widgets.set(widget.name, widget);
  if (!known || known == queue) window.PerchChat = api;
  else if (!known.push) tell("PerchChat is taken: use PerchChatConfig");
  settle(widget, () => queue.splice(0).forEach(api.push as (call: Call) => unknown));
}

function run(): void {
  const widgets = findWidgets();
  if (!widgets) return;
  let found;
  for (const [options, tag] of findOptions()) {
    const { apiUrl, apiKey } = options;
    if (!apiUrl || !apiKey) continue;
    const base = baseOf(apiUrl);
    if (!base) return tell("No address: data-api-url=" + apiUrl);
    const name = nameOf(base + apiKey);
    found = true;
    if (!widgets.has(name)) return start(new Widget({ options, base, files: tag?.src ? new URL(".", tag.src).href : base + "widget/", name }), widgets);
    // A second run of the same tag changes nothing.
    if (document.currentScript) return;
  }
  if (!found) tell("The script tag needs data-api-url and data-api-key.");
}

run();
