/** What the widget says: English built in, other languages in packs beside the script. */

export const ENGLISH = {
  title: "Assistant",
  welcomeMessage: "Hi! Ask me anything and I will help you out.",
  inputPlaceholder: "Type your message...",
  unread: "{n} unread",
  close: "Close",
  menu: "Menu",
  fresh: "New conversation",
  erase: "Delete my conversation",
  sure: "Delete for good?",
  erased: "Your conversation was deleted.",
  you: "You",
  send: "Send",
  stop: "Stop",
  retry: "Try again",
  again: "Answer again",
  copy: "Copy",
  copied: "Copied",
  good: "Good answer",
  bad: "Bad answer",
  latest: "Latest message",
  older: "Earlier messages",
  typing: "Typing…",
  stopped: "Stopped.",
  length: "The answer reached its length limit.",
  unsent: "Not sent.",
  offline: "You are offline. This will be sent when you are back.",
  unreachable: "The assistant cannot be reached.",
  blocked: "The assistant is not available on this page.",
  too_many_requests: "That was a lot of messages. Please wait a moment.",
  model_interrupted: "The answer was interrupted.",
  failed: "Something went wrong.",
};

/** The name of a text. */
export type TextName = keyof typeof ENGLISH;

/** Texts by name; packs may also hold sentences for the server's error codes. */
export type Texts = Partial<Record<string, string>>;

declare const LOCALES: string;

/** The locale that is meant by `data-locale`: `auto` is the page's own language. */
export function toLocale(wanted?: string): string {
  return (wanted == "auto" ? document.documentElement.lang || navigator.language : wanted) || "en";
}

/** Whether a locale is written from right to left. */
export const isRtl = (locale: string): boolean => /^(ar|fa|he|ur)\b/.test(locale);

/** Fetch a locale's pack; without one, and where it does not come, English stays. */
export async function loadTexts(base: string, locale: string): Promise<Texts> {
  const name = LOCALES.split(" ").find((name) => locale.startsWith(name));
  if (!name) return {};
  try {
    const response = await fetch(`${base}locales/${name}.json`, { signal: AbortSignal.timeout(3000) });
    return response.ok ? ((await response.json()) as Texts) : {};
  } catch {
    return {}; // the chat matters more than its language
  }
}
