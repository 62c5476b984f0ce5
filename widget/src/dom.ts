/** The panel's icons and buttons. */

import { CHEVRON, CROSS, drawing, h } from "./elements";
import { texts, type TextName } from "./texts";

export { h };

const THUMB = "M7 11v9H3v-9zl4-8c2 0 3 2 2 6h7l-2 11H7";

const ICONS: Partial<Record<string, string>> = {
  close: CROSS,
  latest: CHEVRON,
  send: "M12 19V5M6 11l6-6 6 6",
  stop: "M7 7h10v10H7z",
  menu: "M5 12h0M12 12h0M19 12h0",
  copy: "M9 9h11v11H9zM5 15H4V4h11v1",
  copied: "M5 12l5 5 9-10",
  up: THUMB,
  down: THUMB,
  again: "M20 5v6h-6M19 11a8 8 0 1 0-1 6",
};

/** Draw the icon of this name. */
export const icon = (name: string): Element => drawing(ICONS[name]!);

/** Build the button of a name: its text is shown, or spoken where there is an icon for it. */
export function button(name: TextName, onclick: () => unknown): HTMLButtonElement {
  const title = texts[name];
  return ICONS[name] ? h(`button.${name}`, { onclick, title }, icon(name)) : h(`button.${name}`, { onclick }, title);
}
