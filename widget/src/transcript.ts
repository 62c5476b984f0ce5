/** What was said, as plain values. */

import { isString } from "./wire";

/** One thing said. A question without `sent` has not been acknowledged by the server. */
export interface Message {
  role: "user" | "assistant";
  content: string;
  createdAt: number;
  id?: string;
  turnId?: string;
  status?: string;
  rating?: "up" | "down";
  sent?: boolean;
  /** Why the answer is not simply whole: `length`, `stopped`. */
  reason?: string;
}

type Json = Record<string, unknown>;

const isRole = (value: unknown): value is Message["role"] => value == "user" || value == "assistant";

/** Read the server's messages; what is not one is left out. */
export function toMessages(list: unknown): Message[] {
  return (Array.isArray(list) ? (list as Json[]) : []).flatMap(({ _id, role, content, createdAt, turnId, status, feedback }): Message[] =>
    isRole(role) && typeof content == "string"
      ? [{
          role,
          content,
          createdAt: +createdAt!,
          id: isString(_id),
          turnId: isString(turnId),
          status: isString(status),
          rating: (feedback as Json | undefined)?.rating as Message["rating"],
          sent: true,
        }]
      : [],
  );
}

/**
 * Join the server's history with what this tab shows.
 *
 * The server decides what was said and in which order; values that stand here already are kept
 * and brought up to date. Questions that it does not know follow, for they were not sent.
 */
export function merge(shown: Message[], history: Message[]): Message[] {
  const same = (a: Message, b: Message) => (a.turnId ? a.turnId == b.turnId && a.role == b.role : !!a.id && a.id == b.id);
  return [
    ...history.map((message) => Object.assign(shown.find((known) => same(known, message)) || {}, message)),
    ...shown.filter((message) => message.role == "user" && !message.sent && !history.some((known) => same(known, message))),
  ];
}
