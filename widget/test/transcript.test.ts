import assert from "node:assert/strict";
import { test } from "node:test";
import { apply, merge, toMessages, type Message, type Scene } from "../src/transcript";

const question = (turnId: string, more: Partial<Message> = {}): Message => ({ role: "user", content: "Why?", createdAt: 1, turnId, ...more });
const answer = (turnId: string, more: Partial<Message> = {}): Message => ({ role: "assistant", content: "So.", createdAt: 2, turnId, ...more });

test("a history is read as it was stored", () => {
  const stored = [
    { _id: "m1", role: "user", content: "Why?", createdAt: 1, turnId: "t1" },
    { _id: "m2", role: "assistant", content: "So", createdAt: 2, turnId: "t1", status: "partial", feedback: { rating: "up" } },
  ];

  const messages = toMessages(stored);

  assert.deepEqual(
    messages.map(({ _id, sent, reason, feedback }) => ({ _id, sent, reason, feedback })),
    [
      { _id: "m1", sent: true, reason: undefined, feedback: undefined },
      { _id: "m2", sent: true, reason: "model_interrupted", feedback: { rating: "up" } },
    ],
  );
});

for (const odd of [undefined, null, 7, "x", {}, [7], [{}], [{ role: "tool", content: "x" }], [{ role: "user", content: 7 }]])
  test(`a history of ${JSON.stringify(odd)} is empty`, () => {
    assert.deepEqual(toMessages(odd), []);
  });

test("the server decides what was said and in which order", () => {
  const shown = [question("t1", { sent: true }), answer("t1", { content: "So fa" })];
  const history = [question("t1", { _id: "m1", sent: true }), answer("t1", { _id: "m2" }), question("t2", { _id: "m3", sent: true })];

  assert.deepEqual(merge(shown, history), history);
});

test("messages that stand here already keep their identity", () => {
  const shown = [question("t1", { sent: true }), answer("t1")];

  const merged = merge(shown, [question("t1", { _id: "m1", sent: true }), answer("t1", { _id: "m2" })]);

  assert.ok(merged[0] === shown[0] && merged[1] === shown[1]);
  assert.equal(shown[1]._id, "m2");
});

test("a question that was not sent follows, once", () => {
  const unsent = question("t2");

  assert.deepEqual(merge([question("t1", { sent: true }), unsent], [question("t1", { sent: true })]).at(-1), unsent);
  assert.equal(merge([unsent], [question("t2", { sent: true })]).length, 1);
});

test("what was deleted elsewhere is gone here", () => {
  assert.deepEqual(merge([question("t1", { sent: true }), answer("t1")], []), []);
});

test("messages of the original service, which have no turn, are told apart by their ids", () => {
  const old = (id: string): Message => ({ role: "user", content: "Hi", createdAt: 1, _id: id, sent: true });

  assert.equal(merge([old("a")], [old("a"), old("b")]).length, 2);
});

test("the events of a turn make its answer", () => {
  const live = answer("t1", { content: "" });
  const scene: Scene = { messages: [question("t1"), live], live };

  apply(scene, { type: "start", conversationId: "c1", turnId: "t1" });
  apply(scene, { type: "token", token: "S" });
  apply(scene, { type: "token", token: "o" });
  assert.equal(live.content, "So");
  apply(scene, { type: "done", message: "So.", messageId: "m2", finishReason: "length" });

  assert.deepEqual(scene.messages, [question("t1", { sent: true }), { ...live, content: "So.", _id: "m2", reason: "length", status: "complete" }]);
});

const HOURS = { n: 1, title: "Opening hours", url: "https://shop.test/hours#sunday" };
const FILE = { n: 2, title: "Shipping.pdf" };

test("an answer's sources are those it was given, and at its end those it cites", () => {
  const live = answer("t1", { content: "" });
  const scene: Scene = { messages: [question("t1"), live], live };

  apply(scene, { type: "sources", sources: [HOURS, FILE] });
  assert.deepEqual(live.sources, [HOURS, { ...FILE, url: undefined }]);
  apply(scene, { type: "done", message: "Ten [1].", sources: [HOURS], answeredBy: "owner" });

  assert.deepEqual(live.sources, [HOURS]);
  assert.equal(live.answeredBy, "owner");
});

test("an answer that was given sources and ends without any cites nothing", () => {
  const live = answer("t1");
  const scene: Scene = { messages: [question("t1"), live], live };

  apply(scene, { type: "sources", sources: [HOURS] });
  apply(scene, { type: "done", message: "Hm." });

  assert.deepEqual(live.sources, []);
});

test("an answer of a server without documents has no sources", () => {
  const live = answer("t1");

  apply({ messages: [question("t1"), live], live }, { type: "done", message: "So." });

  assert.equal(live.sources, undefined);
});

test("sources that are told at the end alone are the answer's", () => {
  const live = answer("t1");

  apply({ messages: [question("t1"), live], live }, { type: "done", message: "Ten [1].", sources: [HOURS] });

  assert.deepEqual(live.sources, [HOURS]);
});

test("a history brings its sources, and takes those of a former answer away", () => {
  const shown = [question("t1", { sent: true }), answer("t1", { sources: [HOURS], answeredBy: "owner" })];
  const stored = (more: object) => toMessages([{ role: "assistant", content: "So.", createdAt: 2, turnId: "t1", status: "complete", ...more }]);

  assert.deepEqual(stored({ sources: [HOURS] })[0].sources, [HOURS]);
  assert.deepEqual(stored({ sources: [] })[0].sources, []);
  const [{ sources, answeredBy }] = merge(shown, stored({}));
  assert.deepEqual([sources, answeredBy], [undefined, undefined]);
});

test("an event of a conversation that was left changes nothing", () => {
  const scene: Scene = { messages: [] };

  for (const type of ["start", "sources", "token", "done"] as const) apply(scene, { type, token: "x", message: "x", conversationId: "c", turnId: "t", sources: [HOURS] });

  assert.deepEqual(scene, { messages: [] });
});
