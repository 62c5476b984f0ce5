/** How a period's counts add up. */
import assert from "node:assert/strict";
import { test } from "node:test";

import { dayOf, sum } from "../functions/model/figures.js";

test("counts add up by name", () => {
  assert.deepEqual(sum({ turns: 2, errors: 1 }, { turns: 3, partial: 1 }), {
    turns: 5,
    errors: 1,
    partial: 1,
  });
});

test("a provider with ever new model names cannot fill the document", () => {
  let counts = {};
  for (let number = 0; number < 1000; number++) {
    counts = sum(counts, { [`prompt_tokens:model-${number}`]: 1 });
  }

  assert.equal(Object.keys(counts).length, 401);
  assert.equal((counts as Record<string, number>)["prompt_tokens:other"], 600);
});

test("a day is UTC's", () => {
  assert.equal(dayOf(Date.UTC(2026, 10, 22, 23, 59, 59, 999)), "2026-11-22");
});
