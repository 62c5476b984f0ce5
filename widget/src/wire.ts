/** What the server says: stream lines and failures, each behind a guard. */

export type TurnEvent =
  | { type: "start"; conversationId: string; turnId: string }
  | { type: "sources"; sources: unknown }
  | { type: "token"; token: string }
  | { type: "done"; message: string; finishReason?: string; messageId?: string; sources?: unknown; answeredBy?: string }
  | { type: "error"; error: string; code?: string; retryAfter?: number };

/** A failure by its code, with the server's own sentence and the seconds to wait, where known. */
export interface Problem {
  code: string;
  text?: string;
  wait?: number;
}

export type Json = Record<string, unknown>;

/** Parse JSON that may not be JSON. */
export function toObject(text: string): Json {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {}; // an HTML error page, a cut line: nothing to read
  }
}

const isTurnEvent = (value: Json): value is TurnEvent => /^(start|sources|token|done|error)$/.test(value.type as string);

/** Read one line; `undefined` for heartbeats and what newer servers may add. */
export function toEvent(line: string): TurnEvent | undefined {
  const value = toObject(line);
  return isTurnEvent(value) ? value : undefined;
}

/** Say what an HTTP answer that is not a success means. */
export const toProblem = (status: number, { error, code }: Json, retryAfter: string | null): Problem => ({
  code: status == 401 || status == 403 ? "blocked" : `${code || status}`,
  text: error as string | undefined,
  wait: +retryAfter! || undefined,
});
