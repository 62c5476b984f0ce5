/** Convex's HTTP API: what a request must be, and how answers are written. */
import type { IncomingMessage, ServerResponse } from "node:http";

import type { JSONValue } from "convex/values";

import type { Outcome } from "./deployment.ts";

export interface Answer {
  status: number;
  body: string;
}

export interface FunctionCall {
  path: string;
  args: JSONValue;
}

const PATH = /^[A-Za-z0-9_/]+(\.js)?(:[A-Za-z0-9_]+)?$/;
const MAX_ARGUMENT_BYTES = 16 * 1024 * 1024;

export const NOT_FOUND: Answer = { status: 404, body: "" };
export const NO_AUTH_PROVIDER = refusal(401, "NoAuthProvider");

/** Answers that are given without running the function. */
export const REFUSALS = {
  conflict: refusal(503, "OptimisticConcurrencyControlFailure"),
  tooMany: refusal(429, "TooManyConcurrentRequests"),
  badKey: refusal(403, "BadDeployKey"),
  notPermitted: refusal(403, "OperationNotPermitted"),
  internal: refusal(500, "InternalServerError"),
  garbage: { status: 200, body: "<html>Bad gateway</html>" },
  undeployed: toAnswer({ error: "no such function" }, "fault"),
  crash: toAnswer({ error: "the function threw" }, "fault"),
} as const;

export async function readBody(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  for await (const piece of request) {
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces).toString("utf8");
}

export function send(response: ServerResponse, { status, body }: Answer): void {
  response.writeHead(status, { "Content-Type": "application/json" });
  response.end(body);
}

/** Read a call, or answer what is wrong with it. */
export function parseCall(body: string): FunctionCall | Answer {
  let call: unknown;
  try {
    call = JSON.parse(body);
  } catch {
    return refusal(400, "BadJsonBody");
  }
  if (!isRecord(call) || !("args" in call) || Buffer.byteLength(body) > MAX_ARGUMENT_BYTES) {
    return refusal(400, "BadJsonBody");
  }
  if (call["format"] !== "convex_encoded_json" || !isWellFormed(call["args"])) {
    return refusal(400, "BadJsonBody");
  }
  const { path } = call;
  if (typeof path !== "string" || !PATH.test(path)) {
    return refusal(400, "BadConvexFunctionIdentifier");
  }
  return { path, args: call["args"] as JSONValue };
}

/** Write an outcome as production does: only a ConvexError's data is told. */
export function toAnswer(outcome: Outcome, requestId: string): Answer {
  if ("value" in outcome) {
    return ok({ status: "success", value: outcome.value, logLines: [] });
  }
  const errorMessage = `[Request ID: ${requestId}] Server Error`;
  return "errorData" in outcome
    ? ok({ status: "error", errorMessage, errorData: outcome.errorData, logLines: [] })
    : ok({ status: "error", errorMessage, logLines: [] });
}

/** JSON in which every number is a float, as Convex writes it. */
export function toFloatJson(value: unknown): string {
  if (typeof value === "number") {
    return Number.isInteger(value) ? value.toFixed(1) : String(value);
  }
  if (Array.isArray(value)) {
    return `[${value.map(toFloatJson).join(",")}]`;
  }
  if (isRecord(value)) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    const written = fields.map(([name, field]) => `${JSON.stringify(name)}:${toFloatJson(field)}`);
    return `{${written.join(",")}}`;
  }
  return JSON.stringify(value);
}

function ok(body: Record<string, unknown>): Answer {
  return { status: 200, body: toFloatJson(body) };
}

function refusal(status: number, code: string): Answer {
  return { status, body: JSON.stringify({ code, message: `${code}, in words` }) };
}

/** Whether no string in it, keys included, has half a surrogate pair. */
function isWellFormed(value: unknown): boolean {
  return !/\p{Surrogate}/u.test(stringsOf(value).join("\n"));
}

function stringsOf(value: unknown): string[] {
  if (typeof value === "string") {
    return [value];
  }
  if (Array.isArray(value)) {
    return value.flatMap(stringsOf);
  }
  return isRecord(value) ? Object.entries(value).flatMap(stringsOf) : [];
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
