import assert from "node:assert/strict";
import { test } from "node:test";
import { takeToken, withCount } from "../src/people/address";
import { toStanding, toState, toValue } from "../src/people/standing";
import { ENGLISH, sayEvent, sayTime } from "../src/people/texts";
import { add, putBack, toDelivered } from "../src/people/thread";
import type { Message } from "../src/transcript";

const message = (more: Partial<Message>): Message => ({ role: "user", content: "Hi", createdAt: 1, ...more });
const ids = (list: Message[]) => list.map(({ _id, turnId }) => _id ?? turnId);

for (const [search, token, rest] of [
  ["?perch=abc", "abc", ""],
  ["?perch=abc&lang=de", "abc", "?lang=de"],
  ["?lang=de&perch=abc", "abc", "?lang=de"],
  ["?a=%20+b&perch=a%2Eb.c-d_e&c", "a.b.c-d_e", "?a=%20+b&c"],
  ["?perch=", "", ""],
  ["?perch=a%", "a%", ""],
  ["?perch=one&perch=two", "one", ""],
  ["?superperch=abc&xperch=1", "", "?superperch=abc&xperch=1"],
  ["", "", ""],
] as const)
  test(`the query ${search} without its token is ${rest || "empty"}`, () => {
    assert.deepEqual(takeToken(search), [token, rest]);
  });

test("a title has one number, and none where nothing is unread", () => {
  assert.equal(withCount("A shop", 0, 2), "(2) A shop");
  assert.equal(withCount("(2) A shop", 2, 3), "(3) A shop");
  assert.equal(withCount("(3) A shop", 3, 0), "A shop");
});

test("a number that is the page's own, or a title that it changed, is left alone", () => {
  assert.equal(withCount("(7) Inbox", 0, 1), "(1) (7) Inbox");
  assert.equal(withCount("(1) (7) Inbox", 1, 0), "(7) Inbox");
  assert.equal(withCount("(8) Inbox", 1, 0), "(8) Inbox");
});

test("what is remembered is read as it was written", () => {
  const standing = { state: "waiting", seen: 7, backAt: 1795000000000, skipped: true } as const;

  assert.deepEqual(toStanding(toValue(standing)), standing);
  assert.deepEqual(toStanding(toValue({ ...standing, skipped: false })), { ...standing, skipped: false });
  assert.equal(toValue({ ...standing, state: "bot" }), "");
  for (const odd of [undefined, "", "nonsense", "robot x y z"]) assert.equal(toStanding(odd).state, "bot");
  for (const odd of [undefined, null, 7, {}, "closed"]) assert.equal(toState(odd), "bot");
});

test("events are rows of the thread, whether a message came with them or not", () => {
  const operator = { _id: "m-2", role: "operator", content: "Hello", createdAt: 5, author: "Ada" };
  const found = toDelivered({
    state: "human",
    next: 9,
    events: [{ n: 7, type: "taken", message: { _id: "m-1", role: "system", content: "", createdAt: 4, author: "Ada" } }, { n: 8, type: "message", message: operator }, { n: 9, type: "closed" }],
  });

  assert.deepEqual(
    found.events.map(({ n, message: { _id, role, event, author } }) => [n, _id, role, event, author]),
    [
      [7, "m-1", "system", "taken", "Ada"],
      [8, "m-2", "operator", undefined, "Ada"],
      [9, "event-9", "system", "closed", undefined],
    ],
  );
  assert.deepEqual([found.state, found.next], ["human", 9]);
});

test("what is no event is none", () => {
  for (const events of [undefined, null, 7, {}, [null, 7, "x", {}, { n: "1", type: "message", message: {} }, { n: 1, type: "message" }]]) assert.deepEqual(toDelivered({ state: "human", events }).events, []);
});

test("a row that stands there already is not added", () => {
  const shown = [message({ _id: "m-1" }), message({ _id: "m-2" })];

  assert.deepEqual(ids(add(shown, [message({ _id: "m-2", role: "operator" }), message({ _id: "m-3", role: "operator" })])), ["m-1", "m-2", "m-3"]);
});

test("a question that is on its way stays the last with its answer", () => {
  const shown = [message({ _id: "m-1" }), message({ turnId: "t" }), message({ turnId: "t", role: "assistant", content: "" })];

  assert.deepEqual(ids(add(shown, [message({ _id: "m-2", role: "operator" })])), ["m-1", "m-2", "t", "t"]);
});

test("a holding line goes back behind its question, and not beside an answer that is stored", () => {
  const shown = [message({ _id: "m-1", turnId: "a" }), message({ _id: "m-2", turnId: "b" }), message({ _id: "m-3", turnId: "b", role: "assistant" })];
  const line = (turnId: string) => message({ turnId, role: "assistant", answeredBy: "person", _id: "line-" + turnId });

  assert.deepEqual(ids(putBack(shown, [line("a"), line("b"), line("gone")])), ["m-1", "line-a", "m-2", "m-3"]);
});

test("an event says who did it, and one that is not known says nothing", () => {
  assert.equal(sayEvent(ENGLISH, "taken", "Ada $& Co"), "Ada $& Co joined.");
  assert.equal(sayEvent(ENGLISH, "taken", undefined), "A person joined.");
  assert.equal(sayEvent(ENGLISH, "promoted", "Ada"), "");
  assert.equal(sayEvent(ENGLISH, undefined, "Ada"), "");
});

test("a time is said in the visitor's zone and language", () => {
  const zone = process.env.TZ;
  const monday = Date.UTC(2026, 10, 30, 8);
  try {
    process.env.TZ = "Europe/Berlin";
    assert.equal(sayTime(monday, monday - 3 * 86_400_000, "de").replace(/\s/g, " "), "Montag, 09:00");
    assert.match(sayTime(monday, monday - 9 * 86_400_000, "de"), /Montag.*30\. November.*09:00/);
    process.env.TZ = "America/New_York";
    assert.match(sayTime(monday, monday - 86_400_000, "en-US"), /^Monday.* 0?3:00\sAM$/);
  } finally {
    if (zone) process.env.TZ = zone;
    else delete process.env.TZ;
  }
});
