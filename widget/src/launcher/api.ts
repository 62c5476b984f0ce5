/** What pages may call, of the tag's widget and of a mounted one. */

import type { Widget, Wish } from "./widget";

export type Call = [name: string, ...values: unknown[]];
export type Api = Record<string, (...values: never[]) => unknown>;

/** Make the functions that a page has of a widget. */
export function apiOf(widget: Widget): Api {
  const { host, toggle, close, destroy } = widget;
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
