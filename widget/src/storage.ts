/** What a browser remembers of its visitor; where storage is denied, this page's memory serves. */

/** The session's name; the original service's visitors have one already. */
export const SESSION = "os-chatbot-session-id";
/** Whether the visitor left the widget open. */
export const OPEN = "os-chatbot-widget-open";
/** The signed token of a session that the server minted. */
export const TOKEN = "perch-token";
/** The question that was sent and not yet acknowledged. */
export const PENDING = "perch-pending";
/** Changes when this tab changed the conversation, so that other tabs read it again. */
export const TICK = "perch-tick";

let store: Partial<Record<string, string>> = {};

try {
  store = localStorage;
} catch {
  // denied
}

/** Read a key. */
export const recall = (key: string): string | undefined => store[key];

/** Write a key, or forget it. */
export function remember(key: string, value?: string): void {
  try {
    if (value) store[key] = value;
    else delete store[key];
  } catch {
    store = { ...store, [key]: value }; // full, or denied only now
  }
}
