/** What was said, as plain values. */

import { toSources, type Source } from "./sources/list";
import type { Json, Problem, TurnEvent } from "./wire";

/** One thing said. A question without `sent` has not been acknowledged by the server. */
export interface Message {
  role: "user" | "assistant" | "operator" | "system";
  content: string;
  createdAt: number;
  _id?: string;
  turnId?: string;
  status?: string;
  feedback?: { rating?: string };
  sent?: boolean;
  /** Why an answer is not simply whole: a text's name. */
  reason?: string;
  /** What an answer was given to read, and at its end what it cites of that; nothing where there are no documents. */
  sources?: Source[];
  answeredBy?: string;
  /** The operator who spoke or acted; and what a system's message tells of, which has no content. */
  author?: string;
  event?: string;
}

/** What is to be seen of a conversation. */
export interface Scene {
  messages: Message[];
  /** The answer that is being streamed here; it is the last message. */
  live?: Message;
  /** Something is being answered, here or in another tab. */
  busy?: boolean;
  /** Where the messages before the first one are found, if there are any. */
  earlier?: string;
  trouble?: Problem & { until: number; offline?: boolean; retry: () => unknown };
}

/** Bring what is shown up to date with an event of the running turn. */
export function apply({ messages, live }: Scene, event: TurnEvent): void {
  const question = messages.at(-2);
  if (event.type == "start" && question) question.sent = true;
  if (!live) return;
  if (event.type == "sources") live.sources = toSources(event.sources);
  if (event.type == "token") live.content += event.token;
  if (event.type != "done") return;
  const { message: content, messageId: _id, finishReason: reason, answeredBy } = event;
  // Without a list of its own the end cites nothing.
  Object.assign(live, { content, _id, reason, answeredBy, status: "complete", sources: toSources(event.sources) || (live.sources && []) });
}

const isMessage = (value: Json): boolean => /^(user|assistant|operator|system)$/.test(value.role as string) && typeof value.content == "string";

/** Read the server's messages; what is not one is left out. */
export const toMessages = (list: unknown): Message[] =>
  (Array.isArray(list) ? (list as Json[]) : [])
    .filter(isMessage)
    .map((message) => ({
      ...(message as unknown as Message),
      sent: true,
      reason: message.status == "partial" ? "model_interrupted" : undefined,
      sources: toSources(message.sources),
      answeredBy: message.answeredBy as string,
    }));

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
