/** Where widgets stand on a page, whichever script brings them, and by what name they are known there. */

import { TAG, type Registry } from "../contract";
import type { Widget } from "./widget";

/** An element of ours; another copy of this code may have made its class, so these names stay as they are. */
type Host = HTMLElement & { onleave?: () => void };

type Widgets = Map<string, Widget>;

/** Find the page's widgets by their names; there are none where an older edition stands already. */
export function findWidgets(): Widgets | undefined {
  if (!customElements.get(TAG))
    customElements.define(
      TAG,
      class extends HTMLElement {
        static readonly widgets: Widgets = new Map();
        declare onleave?: () => void;

        // What a page brings back from its cache has lost its life.
        connectedCallback(): void {
          if (!this.shadowRoot) this.remove();
        }

        disconnectedCallback(): void {
          this.onleave?.();
        }
      },
    );
  return (customElements.get(TAG) as Registry).widgets as Widgets;
}

/** A short name for one assistant of one server. */
export const nameOf = (text: string): string => ([...text].reduce((sum, character) => (sum * 31 + character.charCodeAt(0)) % 2 ** 40, 0)).toString(36);

/** Put a widget where it belongs, and back there when a single-page app took it along with the body. */
export function settle(widget: Widget, placed?: () => void): void {
  const { signal, options } = widget;
  const { inline } = options;
  const host = widget.host as Host;
  const place = () => {
    const home = (inline as Element)?.tagName ? (inline as Element) : document.querySelector((inline as string) || "body");
    if (signal.aborted) return watch.disconnect();
    if (!home || host.parentNode == home) return;
    home.append(host);
    placed?.();
    widget.mount();
  };
  host.onleave = () => setTimeout(place);
  const watch = new MutationObserver(place);
  if (inline || !document.body) watch.observe(document, { childList: true, subtree: true });
  place();
}
