import assert from "node:assert/strict";
import { test } from "node:test";

import { Marks } from "../functions/model/marks.js";

test("a conversation of the original has no marks", () => {
  assert.deepEqual(new Marks(undefined).fields(), {
    tally: { up: 0, down: 0, complete: 0, partial: 0, error: 0 },
    hasUp: false,
    hasDown: false,
    hasPartial: false,
    hasError: false,
  });
});

test("a mark stays until the last message that bears it is replaced", () => {
  const marks = new Marks(undefined);
  marks.replace(null, { status: "partial" });
  marks.replace(null, { status: "partial" });

  marks.replace({ status: "partial" }, { status: "complete" });
  assert.equal(marks.fields().hasPartial, true);

  marks.replace({ status: "partial" }, { status: "error" });
  assert.equal(marks.fields().hasPartial, false);
  assert.equal(marks.fields().hasError, true);
  assert.equal(marks.fields().tally.complete, 1);
});

test("a changed opinion moves from one mark to the other", () => {
  const marks = new Marks(undefined);
  marks.replace({}, { feedback: { rating: "up" } });
  marks.replace({ feedback: { rating: "up" } }, { feedback: { rating: "down" } });

  assert.equal(marks.fields().hasUp, false);
  assert.equal(marks.fields().hasDown, true);
});

test("a message that was never counted cannot be taken away", () => {
  const marks = new Marks(undefined);
  marks.replace({ status: "error" }, null);

  assert.equal(marks.fields().tally.error, 0);
});
