/** What the panel needs of the page around it. */

import { shell } from "./shell";

const HEARD = ["wheel", "touchstart", "touchmove", "touchend", "pointerdown", "mousedown"];

// A keyboard on the screen shrinks what is visible, and nothing else says so.
const fit = () => {
  const { offsetTop, height, scale } = visualViewport!;
  const set = (name: string, pixels: number) => shell.host.style.setProperty("--perch-view-" + name, (scale == 1 ? Math.max(0, pixels) : 0) + "px");
  set("top", offsetTop);
  set("bottom", innerHeight - offsetTop - height);
};

let focused: HTMLElement | undefined;

// The focus is the visitor's until it goes elsewhere; a page that takes the widget along with its body takes it by no one's wish.
const remember = (): void => {
  const { host, signal } = shell;
  const root = host.shadowRoot!;
  root.addEventListener("focus", ({ target }) => (focused = target as HTMLElement), { signal, capture: true });
  const leave = () => {
    if (host.isConnected && !root.activeElement) focused = undefined;
  };
  root.addEventListener("blur", () => setTimeout(leave), { signal, capture: true });
};

/** Take the focus back after the dialog was moved or shown anew, where it was in here and nothing else has it. */
export function refocus(): void {
  if (document.activeElement == document.body) focused?.focus();
}

/** Stand on the page, undisturbed by its scripts. */
export function settle(): void {
  const { host, dialog, signal } = shell;
  for (const name of ["resize", "scroll"]) visualViewport?.addEventListener(name, fit, { signal });
  // Scripts that scroll, drag or close at a click outside must not hear what is done here.
  const deaf = (event: Event) => event.stopPropagation();
  for (const name of HEARD) dialog.parentNode!.addEventListener(name, deaf, { signal, passive: true });
  // Nor may a dialog of the page take the focus back.
  const own = (event: FocusEvent) => {
    if (event.target == host || event.relatedTarget == host) event.stopImmediatePropagation();
  };
  for (const name of ["focusin", "focusout"] as const) addEventListener(name, own, { signal, capture: true });
  remember();
  // What is live is not hidden by dialogs that hide the rest of the page.
  host.ariaLive = "off";
}
