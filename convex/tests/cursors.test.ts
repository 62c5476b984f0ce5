import assert from "node:assert/strict";
import { test } from "node:test";

import { ConvexError } from "convex/values";

import {
  fromChangeCursor,
  fromListCursor,
  fromThreadCursor,
  toChangeCursor,
  toListCursor,
  toThreadCursor,
} from "../functions/model/cursors.js";

const TIMES = [0, 1_700_000_000_000, 1_700_000_000_000.25, 1_700_000_000_000.1235];

test("a place in the list survives its cursor", () => {
  for (const updatedAt of TIMES) {
    const place = { updatedAt, creationTime: 1_700_000_000_000.0012 };

    assert.deepEqual(fromListCursor(toListCursor(place)), place);
  }
});

test("a place in a thread survives its cursor, in both orders", () => {
  for (const order of ["asc", "desc"] as const) {
    for (const position of [null, 0, 1, 4_999]) {
      const place = { position, creationTime: 1_700_000_000_000.0012 };

      assert.deepEqual(fromThreadCursor(order, toThreadCursor(order, place)), place);
    }
  }
});

test("a place among changes survives its cursor, and no other is taken for one", () => {
  const place = { version: 12, creationTime: 1_700_000_000_000.0012 };

  assert.deepEqual(fromChangeCursor(toChangeCursor(place)), place);
  assert.throws(() => fromChangeCursor("v12"), ConvexError);
});

const FOREIGN = ["", "c", "c1", "c_1", "c1_", "c1_2_3", "c-1_2", "cNaN_1", "c1_2\n", "t1_2", "é"];

for (const cursor of FOREIGN) {
  test(`${JSON.stringify(cursor)} is no cursor of the list`, () => {
    assert.throws(() => fromListCursor(cursor), ConvexError);
  });
}

test("a cursor of one order is none of the other's", () => {
  const cursor = toThreadCursor("asc", { position: 3, creationTime: 1 });

  assert.throws(() => fromThreadCursor("desc", cursor), ConvexError);
  assert.throws(() => fromThreadCursor("asc", toListCursor({ updatedAt: 1, creationTime: 1 })));
});
