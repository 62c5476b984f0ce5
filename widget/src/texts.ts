/** What the widget says: English built in, other languages in packs beside the script. */

import { options, shell } from "./shell";
import { toObject } from "./wire";

/** All texts in English; failures have the names of the server's codes. */
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
  model_unavailable: "The assistant is not available right now.",
  model_timeout: "The assistant took too long.",
  model_rate_limited: "The assistant is very busy right now.",
  model_refused: "The assistant cannot answer this message.",
  storage_unavailable: "Conversations are not available right now.",
  overloaded: "The assistant is very busy right now.",
  server_restarting: "The assistant is restarting.",
  turn_in_progress: "The previous message is still being answered.",
  disclosure: "You are chatting with an AI. Answers can be wrong.",
  kept: "Conversations are kept for {days} days.",
  privacy: "Privacy",
  earlier: "Earlier messages",
  sources: "Sources",
  more: "{n} more",
  owner: "From the site",
  person: "Talk to a person",
};

/** The name of a text. */
export type TextName = keyof typeof ENGLISH;

// The page's own words; `data-disclosure="off"` is none.
const own = (): object => {
  const { title, welcomeMessage, inputPlaceholder, disclosure, texts } = options;
  const given = { title, welcomeMessage, inputPlaceholder, disclosure: disclosure == "off" ? undefined : disclosure };
  return Object.fromEntries(Object.entries({ ...toObject(texts!), ...given }).filter(([, value]) => typeof value == "string" && value.trim()));
};

/** The texts in use, and what else the server says of itself; the page's own `data-*` attributes win over all others. */
export const texts: Record<TextName, string> & { starters?: string | string[]; maxMessageChars?: number; retentionDays?: number; people?: { canAsk?: boolean } } = { ...ENGLISH, ...own() };

export const { locale } = shell;

/** Use other texts, from a pack or from the server. */
export const useTexts = (others: object): typeof texts => Object.assign(texts, others, own());

/** Fetch the locale's pack; where it does not come, English stays. */
export async function loadTexts(): Promise<void> {
  try {
    useTexts(locale == "en" ? {} : await (await fetch(`${shell.files}locales/${locale}.json`, { signal: AbortSignal.timeout(3000) })).json());
  } catch {
    // The chat matters more than its language.
  }
}
