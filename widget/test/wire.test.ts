import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { toEvent, toObject, toProblem } from "../src/wire";

declare const ROOT: string;

const lines = readFileSync(ROOT + "tests/fixtures/turn.ndjson", "utf8").split("\n");

test("the wire fixture reads as the server's tests write it", () => {
  const events = lines.map(toEvent).filter((event) => event !== undefined);

  assert.deepEqual(
    events.map(({ type }) => type),
    ["start", "token", "token", "token", "done", "done", "error", "error"],
  );
  const said = events.flatMap((event) => (event.type == "token" ? [event.token] : [])).join("");
  assert.deepEqual(events[4], {
    type: "done",
    message: said,
    conversationId: "k57cq3n1",
    turnId: "turn-0001",
    messageId: "m-0002",
  });
  assert.deepEqual(events[7], {
    type: "error",
    error: "The assistant is restarting",
    code: "server_restarting",
    retryable: true,
    retryAfter: 2,
  });
});

test("sources stand in a line of their own", () => {
  assert.equal(toEvent('{"type":"sources","sources":[{"n":1,"title":"Hours"}]}')?.type, "sources");
});

for (const line of ["", " ", "\r", "null", "1", '"start"', "[]", "{}", '{"type":"usage"}', '{"type":1}', "<html>", '{"type":"tok'])
  test(`the line ${JSON.stringify(line)} is no event`, () => {
    assert.equal(toEvent(line), undefined);
  });

test("what is no JSON object is an empty one", () => {
  assert.deepEqual(toObject("<h1>502 Bad Gateway</h1>"), {});
});

for (const [status, code] of [
  [401, "blocked"],
  [403, "blocked"],
  [429, "too_many_requests"],
  [503, "overloaded"],
] as const)
  test(`an HTTP answer with ${status} is the problem ${code}`, () => {
    const body = { error: "A sentence", code: status < 429 ? "unauthorized" : code, requestId: "r" };

    assert.deepEqual(toProblem(status, body, "7"), { code, text: "A sentence", wait: 7 });
  });

test("an answer of something in between is known by its status", () => {
  assert.deepEqual(toProblem(502, {}, null), { code: "502", text: undefined, wait: undefined });
});
