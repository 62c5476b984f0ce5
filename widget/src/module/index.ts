/** The module's entry: mounts what the tag's script starts by itself. */

import { apiOf } from "../launcher/api";
import { baseOf, readOptions } from "../launcher/options";
import { findWidgets, nameOf, settle } from "../launcher/page";
import { Widget } from "../launcher/widget";
import type { Widget as Mounted, WidgetOptions } from "./perch";

/** Put an assistant on the page; perch.d.ts says more. */
export function mount(given: WidgetOptions): Mounted {
  const { inline } = given;
  const element = inline instanceof Element && inline;
  const options = readOptions({ ...given, inline: element ? "" : inline });
  if (element) options.inline = element;
  const { apiUrl, apiKey } = options;
  const base = apiUrl && baseOf(apiUrl);
  if (!base || !apiKey) throw new TypeError("[perch] mount() needs apiUrl, the web address of a chat, and apiKey");
  const widgets = findWidgets();
  if (!widgets) throw new Error("[perch] an older edition of the widget stands on this page");
  const name = nameOf(base + apiKey);
  widgets.get(name)?.destroy();
  // Whichever bundler put this module elsewhere: the panel and the languages are the server's.
  const widget = new Widget({ options, base, files: base + "widget/", name });
  widget.signal.onabort = () => widgets.delete(name);
  widgets.set(name, widget);
  settle(widget);
  return toMounted(widget);
}

function toMounted(widget: Widget): Mounted {
  const { host: element, signal } = widget;
  const { send: ask, push: _, ...api } = apiOf(widget);
  const alive = Object.entries({ ask, ...api }).map(([name, act]) => [name, (...values: never[]) => void (signal.aborted || act(...values))]);
  const mounted = Object.fromEntries(alive) as Omit<Mounted, "element" | "on">;
  return {
    ...mounted,
    element,
    on: (name, listener) => {
      api.on(...([name, listener] as never[]));
      return () => mounted.off(name, listener);
    },
  };
}
