/** What was said, as plain values. */

import type { Json } from "./wire";

/** One thing said. A question without `sent` has not been acknowledged by the server. */
export interface Message {
  role: "user" | "assistant";
  content: string;
  createdAt: number;
  _id?: string;
  turnId?: string;
  status?: string;
  feedback?: { rating?: string };
  sent?: boolean;
  /** Why an answer is not simply whole: a text's name. */
  reason?: string;
}

const isMessage = (value: Json): boolean => /^(user|assistant)$/.test(value.role as string) && typeof value.content == "string";

/** Read the server's messages; what is not one is left out. */
export const toMessages = (list: unknown): Message[] =>
  (Array.isArray(list) ? (list as Json[]) : [])
    .filter(isMessage)
    .map((message) => ({ ...(message as unknown as Message), sent: true, reason: message.status == "partial" ? "model_interrupted" : undefined }));

/**
 * Join the server's history with what this tab shows.
 *
 * The server decides what was said and in which order; values that stand here already are kept
 * and brought up to date. Questions that it does not know follow, for they were not sent.
 */
export function merge(shown: Message[], history: Message[]): Message[] {
  const known = (list: Message[], { turnId, role, _id }: Message) =>
    list.find((message) => message.role == role && (turnId ? message.turnId == turnId : message._id == _id));
  return [
    ...history.map((message) => Object.assign(known(shown, message) || {}, message)),
    ...shown.filter((message) => message.role == "user" && !message.sent && !known(history, message)),
  ];
}
