/** Perch's widget as an ES module: `import { mount } from "https://HOST/widget/perch.js"`. It runs in browsers only. */

/** What a widget is made of; docs/embed.md says what each option means. What makes no sense is as if it were not there. */
export interface WidgetOptions {
  /** The address that chats are sent to: `https://HOST/chat`. */
  apiUrl: string;
  /** The server's widget key. */
  apiKey: string;
  title?: string;
  welcomeMessage?: string;
  inputPlaceholder?: string;
  position?: "left" | "right";
  accentColor?: string;
  theme?: "auto" | "light" | "dark";
  size?: "small" | "medium" | "large";
  launcherIcon?: string;
  avatar?: string;
  /** Questions to begin with. */
  starters?: string | readonly string[];
  greeting?: string;
  /** A language's code, or `auto` for the page's own. */
  locale?: string;
  dir?: "ltr" | "rtl";
  /** Texts of your own, by their names. */
  texts?: Readonly<Record<string, string>>;
  disclosure?: string;
  privacyUrl?: string;
  /** `off`: no button; your page opens the widget. */
  launcher?: "on" | "off";
  /** Open it at once, but not where it would fill the screen. */
  open?: boolean;
  /** The element, or a selector of it, that the widget fills instead of floating in the corner. */
  inline?: Element | string | null;
  zIndex?: number | string;
  /** `off`: do not send the page's address and title. */
  page?: "on" | "off";
  /** `before`: ask for an e-mail address before the first question. */
  contact?: "before";
  /** Tell the tag manager's `dataLayer`, or the array of this name, what happens; never what is said. */
  dataLayer?: boolean | string;
}

/** What the listeners of each event find in `event.detail`. */
export interface WidgetEvents {
  /** It was put on the page: heard only where its place came later than `mount()`. */
  ready: null;
  open: null;
  close: null;
  message: { role: "user" | "assistant"; content: string; turnId?: string };
  error: { code: string; text?: string };
  /** Who answers now. */
  handoff: { state: "bot" | "waiting" | "human" };
  /** What a person said; `createdAt` in ms since 1970. */
  operator: { content: string; name?: string; createdAt: number };
}

/** A widget on the page. After `destroy()` its functions do nothing. */
export interface Widget {
  readonly element: HTMLElement;
  open(): void;
  close(): void;
  toggle(): void;
  /** Open it and ask; while an answer is running the text waits in the input. */
  ask(text: string): void;
  /** Begin a new conversation. */
  reset(): void;
  /** Tell who the visitor is, by a token that your server signed. */
  identify(jwt: string): void;
  /** Listen to an event; what is returned ends it. */
  on<Name extends keyof WidgetEvents>(name: Name, listener: (event: CustomEvent<WidgetEvents[Name]>) => void): () => void;
  off<Name extends keyof WidgetEvents>(name: Name, listener: (event: CustomEvent<WidgetEvents[Name]>) => void): void;
  /** Remove it; what was said stays with the server, and mounting it again shows it. */
  destroy(): void;
}

/**
 * Put an assistant on the page.
 *
 * Assistants of other keys may stand beside it. Of one assistant there is one widget: mounted again, it replaces the former one.
 * Throws a `TypeError` where `apiUrl` is no web address, or where `apiKey` is missing.
 */
export function mount(options: WidgetOptions): Widget;
