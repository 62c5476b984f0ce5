/** What stands on the page before anything is opened: the ground, its colours, the launcher. */

import { readable, textOn, toRgb } from "./colour";
import { button, h, icon, set } from "./dom";
import type { Options } from "./options";
import css from "./style.css";
import { isRtl, toLocale } from "./texts";

/** An owner's image by its address, or a letter or emoji of theirs. */
export const picture = (source: string): Node => (/[/.]/.test(source) ? h("img", { src: source, alt: "" }) : h("span", {}, source));

/** Draw the launcher into a shadow root. */
export function createShell(shadow: ShadowRoot, options: Options, title: string, toggle: () => void, signal: AbortSignal) {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shadow.adoptedStyleSheets = [sheet];

  const badge = h("span.badge", { hidden: true });
  const launcher = h(
    "button.launcher",
    { type: "button", "aria-haspopup": "dialog", click: toggle },
    options.launcherIcon ? picture(options.launcherIcon) : icon("chat"),
    icon("fold"),
    badge,
  );
  const root = h("div.root", { dir: options.dir || (isRtl(toLocale(options.locale)) ? "rtl" : "ltr") });
  const classes = root.classList;
  const small = matchMedia("(max-width:480px),(max-height:440px)");
  const night = matchMedia("(prefers-color-scheme:dark)");
  const { style } = root;

  if (options.inline) classes.add("inline");
  else root.append(launcher);
  classes.add(options.size || "medium", options.position == "left" ? "left" : "right");
  style.zIndex = options.zIndex || "2147483000";
  style.setProperty("--accent", options.accentColor || "");
  shadow.append(root);

  // Run when the widget is on the page, for the page's CSS may set any of these colours.
  const tint = () => {
    const { theme } = options;
    classes.toggle("dark", theme == "dark" || (theme != "light" && night.matches));
    const { outlineColor, textDecorationColor } = getComputedStyle(root);
    const accent = toRgb(outlineColor);
    style.setProperty("--on", `rgb(${textOn(accent)})`);
    style.setProperty("--link", `rgb(${readable(accent, toRgb(textDecorationColor))})`);
  };

  // A keyboard on the screen shrinks what is visible, and nothing else says so.
  const fit = () => {
    const { height, offsetTop } = visualViewport!;
    style.setProperty("--height", height + "px");
    style.setProperty("--top", offsetTop + "px");
  };

  night.addEventListener("change", tint, { signal });
  for (const event of ["resize", "scroll"]) visualViewport?.addEventListener(event, fit, { signal });

  const show = (open: boolean, unread: string) => {
    set(launcher, { "aria-expanded": "" + open, "aria-label": unread ? `${title}, ${unread}` : title });
    set(badge, { hidden: !unread });
    badge.textContent = parseInt(unread) + "";
    classes.toggle("open", open);
  };

  const greet = (text: string, closing: string) => {
    const greeting = h("div.greeting", {}, h("button", { type: "button", click: toggle }, text), button("dismiss", closing, "close", () => greeting.remove()));
    root.prepend(greeting);
  };

  return { root, launcher, small, tint, show, greet };
}

export type Shell = ReturnType<typeof createShell>;
