/** What a browser remembers of its visitor, where it lets us. */

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

const memory: Record<string, string> = {};

/** Read a key. */
export function recall(key: string): string | undefined {
  try {
    return localStorage[key] as string | undefined;
  } catch {
    return memory[key]; // storage is denied: this page's memory serves
  }
}

/** Write a key, or forget it. */
export function remember(key: string, value?: string): void {
  try {
    if (value === undefined) localStorage.removeItem(key);
    else localStorage[key] = value;
  } catch {
    if (value === undefined) delete memory[key];
    else memory[key] = value;
  }
}
