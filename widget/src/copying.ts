/** Copies a text, also where a page has no clipboard. */

import { h } from "./elements";

/** Copy a text for the button that was pressed; false where the browser does not let it. */
export async function copy(text: string, button: HTMLElement): Promise<boolean> {
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
