/** What the page's owner chose: the script tag's `data-*` attributes, as they are. */

export interface Options {
  apiUrl: string;
  apiKey: string;
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
  sendPage?: string;
  /** Texts: `data-title`, `data-welcome-message`, `data-input-placeholder`, and any other as `data-text-…`. */
  [text: string]: string | undefined;
}

/** Read the tag; `undefined` where it lacks what it must have. */
export function readOptions(script: HTMLOrSVGElement | null): Options | undefined {
  const { apiUrl, apiKey, ...others } = script?.dataset || {};
  return apiUrl && apiKey ? { ...others, apiUrl, apiKey } : undefined;
}
