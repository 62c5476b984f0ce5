/** What the widget says: English built in, other languages in packs beside the script. */

import { options, script } from "./options";
import { toObject } from "./wire";

/** All texts in English. Packs may hold more: sentences for the server's error codes. */
export const ENGLISH = {
  title: "Assistant",
  welcomeMessage: "Hi! Ask me anything and I will help you out.",
  inputPlaceholder: "Type your message...",
  close: "Close",
  menu: "Menu",
  fresh: "New conversation",
  erase: "Delete my conversation",
  sure: "Delete for good?",
  you: "You",
  send: "Send",
  stop: "Stop",
  retry: "Try again",
  again: "Answer again",
  copy: "Copy",
  copied: "Copied",
  up: "Good answer",
  down: "Bad answer",
  latest: "Latest message",
  stopped: "Stopped.",
  length: "The answer was cut short.",
  unsent: "Not sent.",
  offline: "You are offline. It will be sent when you are back.",
  unreachable: "The assistant cannot be reached.",
  blocked: "The assistant cannot be used on this page.",
  too_many_requests: "Too many messages. Please wait.",
  model_interrupted: "The answer was interrupted.",
  failed: "Something went wrong.",
};

/** The name of a text. */
export type TextName = keyof typeof ENGLISH;

/** The texts in use; the page's own `data-*` attributes win over all others. */
export const texts: Record<TextName, string> & { starters?: string | string[]; maxMessageChars?: number } = Object.assign({}, ENGLISH, options);

declare const LOCALES: string;

const wanted = options.locale == "auto" ? document.documentElement.lang : options.locale;

/** The language in use: the one of `data-locale` (`auto` is the page's own) that there is a pack for. */
export const locale = LOCALES.split(" ").find((name) => wanted?.startsWith(name)) || "en";

export const direction = options.dir || (/ar|he/.test(locale) ? "rtl" : "ltr");

/** Use other texts, from a pack or from the server. */
export const useTexts = (others: object): void => void Object.assign(texts, others, toObject(options.texts!), options);

/** Fetch the locale's pack; where it does not come, English stays. */
export async function loadTexts(): Promise<void> {
  try {
    useTexts(locale == "en" ? {} : await (await fetch(new URL(`locales/${locale}.json`, script!.src), { signal: AbortSignal.timeout(3000) })).json());
  } catch {
    // The chat matters more than its language.
  }
}
