import assert from "node:assert/strict";
import { test } from "node:test";

import { preview } from "../functions/model/previews.js";

test("a short message is its own preview", () => {
  assert.equal(preview(""), "");
  assert.equal(preview("x".repeat(500)), "x".repeat(500));
});

test("a long message is cut to 500 characters", () => {
  assert.equal(preview("x".repeat(501)), "x".repeat(500));
});

test("a pair of surrogates is one character and stays whole", () => {
  for (const before of ["", "x", "xy"]) {
    const cut = preview(before + "🦜".repeat(600));

    assert.equal(cut, before + "🦜".repeat(500 - before.length));
    assert.ok(cut.isWellFormed());
  }
});
