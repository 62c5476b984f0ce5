/** What a browser remembers of its visitor, for each assistant apart; where storage is denied, this page's memory serves. */

import { shell } from "./shell";
import { PENDING, SESSION, TOKEN } from "./storage-keys";

export * from "./storage-keys";

// The names of the original service and of our first edition, which knew one assistant a page.
const FORMER = { [SESSION]: "os-chatbot-session-id", [TOKEN]: "perch-token", [PENDING]: "perch-pending" };

let store: Partial<Record<string, string>> = {};

try {
  store = localStorage;
} catch {
  // denied
}

/** The name under which the browser keeps a key. */
export const keyOf = (key: string): string => `perch-${key}-${shell.name}`;

/** Read a key. */
export const recall = (key: string): string | undefined => store[keyOf(key)];

/** Write a key, or forget it. */
export function remember(key: string, value?: string | false | 0): void {
  try {
    if (value) store[keyOf(key)] = value;
    else delete store[keyOf(key)];
  } catch {
    store = { ...store, [keyOf(key)]: value || undefined }; // full, or denied only now
  }
}

/** Give what stands under a former name to this assistant. */
export function moveFormer(): void {
  for (const [key, former] of Object.entries(FORMER)) {
    const value = store[former];
    if (!value) continue;
    remember(key, recall(key) || value);
    delete store[former];
  }
}
