/** What the page's owner chose: the script tag's `data-*` attributes, as they are. */

export interface Options {
  apiUrl?: string;
  apiKey?: string;
  position?: "left" | "right";
  accentColor?: string;
  theme?: "light" | "dark" | "auto";
  size?: "small" | "medium" | "large";
  launcherIcon?: string;
  avatar?: string;
  starters?: string;
  locale?: string;
  dir?: "ltr" | "rtl";
  greeting?: string;
  open?: string;
  zIndex?: string;
  inline?: string;
  page?: "off";
  texts?: string;
  title?: string;
  welcomeMessage?: string;
  inputPlaceholder?: string;
}

/** The script's own tag; a tag manager's copy has no `currentScript`. */
export const script = (document.currentScript || document.querySelector("script[data-api-url]")) as HTMLScriptElement | null;

export const options: Options = script?.dataset || {};
