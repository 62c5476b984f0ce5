import assert from "node:assert/strict";
import { test } from "node:test";

import { contradiction } from "../functions/model/turns.js";

const question = { content: "Hi", regenerate: false };
const again = { content: "Hi", regenerate: true };

test("a new question contradicts nothing", () => {
  assert.equal(contradiction(question, null, null), null);
  assert.equal(contradiction(question, { nextPosition: 4 }, null), null);
});

test("a known turn with another text is a mismatch, also when it is to be answered anew", () => {
  const asked = { content: "Hello", position: 2 };

  assert.equal(contradiction(question, { nextPosition: 4 }, asked), "mismatch");
  assert.equal(contradiction(again, { nextPosition: 4 }, asked), "mismatch");
});

test("a conversation of another assistant is one, whatever is asked", () => {
  const ofShop = { nextPosition: 4, assistant: "shop" };
  const asked = { content: "Hello", position: 2 };

  assert.equal(contradiction(question, ofShop, asked), "otherAssistant");
  assert.equal(contradiction({ ...again, assistant: "shop" }, { nextPosition: 4 }, asked), "otherAssistant");
  assert.equal(contradiction({ ...question, assistant: "shop" }, ofShop, null), null);
});

test("only the last turn is answered anew", () => {
  const conversation = { nextPosition: 4 };

  assert.equal(contradiction(again, conversation, { content: "Hi", position: 2 }), null);
  assert.equal(contradiction(again, conversation, { content: "Hi", position: 0 }), "notLast");
  assert.equal(contradiction(again, conversation, null), "notLast");
  assert.equal(contradiction(again, null, null), "notLast");
});
