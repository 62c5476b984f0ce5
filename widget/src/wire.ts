/** What the server says: stream lines, history, and failures, each behind a guard. */

export type TurnEvent =
  | { type: "start"; conversationId: string; turnId: string }
  | { type: "token"; token: string }
  | { type: "done"; message: string; finishReason?: string; messageId?: string }
  | { type: "error"; error: string; code?: string; retryAfter?: number };

/** A failure by its code, with the server's own sentence and the seconds to wait, where known. */
export interface Problem {
  code: string;
  text?: string;
  wait?: number;
}

type Json = Record<string, unknown>;

const REQUIRED: Record<string, string> = { start: "type", token: "token", done: "message", error: "error" };

const isObject = (value: unknown): value is Json => typeof value == "object" && !!value;

const isTurnEvent = (value: unknown): value is TurnEvent =>
  isObject(value) && typeof value[REQUIRED[value.type as string]] == "string";

/** Parse JSON that may not be JSON. */
export function toObject(text: string): Json {
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch {
    // An HTML error page, a cut line: nothing to read.
  }
  return {};
}

/** Read one line; `undefined` for heartbeats and what newer servers may add. */
export function toEvent(line: string): TurnEvent | undefined {
  const value: unknown = toObject(line);
  return isTurnEvent(value) ? value : undefined;
}

/** Cut a stream of text into lines, whatever pieces it comes in. */
export function createSplitter(): (piece: string) => string[] {
  let rest = "";
  return (piece) => {
    const lines = (rest + piece).split("\n");
    rest = lines.pop()!;
    return lines;
  };
}

/** Say what an HTTP answer that is not a success means. */
export function toProblem(status: number, body: Json, retryAfter: string | null): Problem {
  return {
    code: status == 401 || status == 403 ? "blocked" : String(body.code || status),
    text: isString(body.error),
    wait: parseInt(retryAfter!) || undefined,
  };
}

/** Whether something thrown is a `Problem`. */
export const isProblem = (value: unknown): value is Problem => isObject(value) && typeof value.code == "string";

/** The value, if it is text. */
export const isString = (value: unknown): string | undefined => (typeof value == "string" ? value : undefined);
