/** What comes from a person, as messages of the thread. */

import { toMessages, type Message } from "../transcript";
import type { Json } from "../wire";
import { toState, type State } from "./standing";

/** One event of the session, with the row that it is in the thread. */
export interface Happening {
  n: number;
  message: Message;
}

/** What the server answers to the question for events. */
export interface Delivered {
  state: State;
  events: Happening[];
  next: number;
}

// A row whose message was not sent along stands under its number until the history is read.
const toHappening = ({ n, type, message }: Json): Happening[] => {
  const row = type == "message" ? message : { _id: `event-${n}`, createdAt: Date.now(), ...(message as object), role: "system", content: "", event: type };
  return Number.isInteger(n) ? toMessages([Object(row)]).map((message) => ({ n: n as number, message })) : [];
};

/** Read the server's answer; events that are none are left out. */
export function toDelivered({ state, events, next }: Json): Delivered {
  const list = Array.isArray(events) ? events.map(Object).flatMap(toHappening) : [];
  return { state: toState(state), events: list, next: Number(next) || 0 };
}

/** An answer is being streamed. */
export const isRunning = (last: Message | undefined): boolean => last?.role == "assistant" && !last.status && !last._id;

/** Add rows that do not stand there yet; a question that is on its way, and its answer, stay the last. */
export function add(shown: Message[], rows: Message[]): Message[] {
  const fresh = rows.filter(({ _id }) => !shown.some((message) => message._id == _id));
  const end = isRunning(shown.at(-1)) ? shown.length - 2 : shown.length;
  return [...shown.slice(0, end), ...fresh, ...shown.slice(end)];
}

/** Put lines that only this browser knows back behind the questions that they answered. */
export const putBack = (shown: Message[], lines: Message[]): Message[] =>
  shown.flatMap((message) => [
    message,
    ...lines.filter(({ turnId }) => message.role == "user" && turnId == message.turnId && !shown.some(({ role, turnId: other }) => role == "assistant" && other == turnId)),
  ]);
