/** What stands on the page before anything is opened: the ground and the launcher. */

import { button, h, icon, picture } from "./dom";
import { options } from "./options";
import css from "./style.css";
import { direction, texts } from "./texts";

const { inline, position, size, theme, zIndex, accentColor, greeting, launcherIcon } = options;

/** Where the widget fills the screen. */
export const small = matchMedia("(max-width:480px),(max-height:440px)");

/** Whether it does so now. */
export const isFull = (): boolean => small.matches && !inline;

const badge = h("span.badge");

export const launcher = h("button.launcher", {}, picture(launcherIcon), icon("latest"), badge);

export const root = h("div.root", { dir: direction });

// A keyboard on the screen shrinks what is visible, and nothing else says so.
const fit = () => {
  const { offsetTop, height, scale } = visualViewport!;
  const is = (name: string, pixels: number) => root.style.setProperty("--perch-view-" + name, (scale == 1 ? Math.max(0, pixels) : 0) + "px");
  is("top", offsetTop);
  is("bottom", innerHeight - offsetTop - height);
};

/** Draw the launcher. `press` is what it does. */
export function build(host: HTMLElement, press: () => void, signal: AbortSignal): void {
  const shadow = host.attachShadow({ mode: "open" });
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [sheet];
  shadow.append(root);
  root.append(launcher);
  launcher.onclick = press;
  host.className = [size, theme].join(" ");
  host.style.setProperty("--perch-accent", accentColor || "");
  root.classList.add(inline ? "inline" : position || "right");
  root.style.zIndex = zIndex || "";
  for (const event of ["resize", "scroll"]) visualViewport?.addEventListener(event, fit, { signal });
}

/** Show the launcher as it is. */
export function drawLauncher(open: boolean, unread: number): void {
  launcher.ariaExpanded = `${open}`;
  launcher.ariaLabel = texts.title + (unread ? ` (${unread})` : "");
  badge.textContent = unread ? `${unread}` : "";
}

/** Say something beside the launcher. */
export function greet(press: () => void): void {
  const bubble: HTMLElement = h("div.greeting", {}, h("button", { onclick: press }, greeting!), button("close", () => bubble.remove()));
  root.replaceChildren(bubble, launcher);
}
