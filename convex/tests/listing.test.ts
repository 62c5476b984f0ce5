import assert from "node:assert/strict";
import { test } from "node:test";

import type { Doc, Id } from "../functions/_generated/dataModel.js";
import { type Filter, matches, searchOf } from "../functions/model/listing.js";
import { filter } from "../functions/model/validators.js";

const NOTHING = { up: 0, down: 0, complete: 0, partial: 0, error: 0 };

function aConversation(fields: Partial<Doc<"conversations">>): Doc<"conversations"> {
  return {
    _id: "1" as Id<"conversations">,
    _creationTime: 1,
    sessionId: "session",
    createdAt: 1,
    updatedAt: 5,
    ...fields,
  };
}

const CASES: [string, Partial<Doc<"conversations">>, Filter, boolean][] = [
  ["no filter", {}, {}, true],
  ["its first moment", {}, { since: 5 }, true],
  ["its end", {}, { until: 5 }, false],
  ["before", {}, { since: 6 }, false],
  ["its user", { user: "ada" }, { user: "ada" }, true],
  ["another's user", { user: "ada" }, { user: "bob" }, false],
  ["nobody's user", {}, { user: "ada" }, false],
  ["a page below", { page: { url: "https://a.example/b" } }, { page: "https://a.example/" }, true],
  ["no page", {}, { page: "https://a.example/" }, false],
  ["a status", { tally: { ...NOTHING, partial: 1 } }, { status: "partial" }, true],
  ["no such status", { tally: NOTHING }, { status: "partial" }, false],
  ["an opinion", { tally: { ...NOTHING, down: 2 } }, { feedback: "down" }, true],
  ["an original", {}, { feedback: "down" }, false],
  ["its assistant", { assistant: "shop" }, { assistant: "shop" }, true],
  ["another's assistant", { assistant: "shop" }, { assistant: "default" }, false],
  ["no assistant, which is the default one", {}, { assistant: "default" }, true],
  ["one of two", { user: "ada" }, { user: "ada", status: "error" }, false],
];

for (const [name, fields, where, expected] of CASES) {
  test(`${name}: ${expected ? "passes" : "is left out"}`, () => {
    assert.equal(matches(aConversation(fields), where), expected);
  });
}

test("the text that an older server searches for is a search of one term", () => {
  const asked: Filter = { text: "opening hours" };

  assert.ok("text" in filter.fields);
  assert.deepEqual(searchOf(asked), { terms: ["opening hours"] });
  assert.deepEqual(searchOf({ search: { terms: ["a", "b"], id: "a" } }), { terms: ["a", "b"], id: "a" });
  assert.equal(searchOf({ user: "ada" }), undefined);
});
