/** Copies a text, also where a page has no clipboard. */

import { button, h, icon } from "./dom";
import { texts, type TextName } from "./texts";

const SHOWN_MS = 2000;

// For the button that was pressed; false where the browser does not let it.
async function copy(text: string, button: HTMLElement): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Pages over plain http have none, and frames may be denied it: there a selection can be copied.
    const field = h("textarea.spoken", { value: text });
    button.after(field);
    field.select();
    const done = document.execCommand("copy");
    field.remove();
    button.focus();
    return done;
  }
}

/** Build a button that copies a text, and shows for a moment that it did. */
export function copyButton(source: () => string | null): HTMLElement {
  const show = (name: TextName) => {
    pressed.title = texts[name];
    pressed.replaceChildren(icon(name));
  };
  const pressed = button("copy", async () => {
    if (!(await copy(source()!, pressed))) return;
    show("copied");
    setTimeout(show, SHOWN_MS, "copy");
  });
  return pressed;
}
