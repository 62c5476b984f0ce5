import assert from "node:assert/strict";
import { test } from "node:test";

import { retentionDays } from "../functions/model/retention.js";

test("retention is a number of days", () => {
  assert.equal(retentionDays("30"), 30);
  assert.equal(retentionDays(" 0.5 "), 0.5);
});

for (const setting of [undefined, "", " ", "0", "-1", "forever", "NaN", "Infinity"]) {
  test(`RETENTION_DAYS=${setting ?? "unset"} keeps everything`, () => {
    assert.equal(retentionDays(setting), null);
  });
}
