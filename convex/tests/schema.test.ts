/** The schema must take in what the original service stored. */
import assert from "node:assert/strict";
import { test } from "node:test";

import type { GenericValidator } from "convex/values";

import schema from "../functions/schema.js";

const ORIGINAL = {
  conversations: {
    required: ["createdAt", "sessionId", "updatedAt"],
    optional: ["lastMessage"],
    indexes: {
      by_session_id: ["sessionId"],
      by_updated_at: ["updatedAt"],
    },
  },
  messages: {
    required: ["content", "conversationId", "createdAt", "role"],
    optional: [],
    indexes: {
      by_conversation_id: ["conversationId"],
      by_conversation_id_created_at: ["conversationId", "createdAt"],
    },
  },
} as const;

for (const table of ["conversations", "messages"] as const) {
  const { required, optional, indexes } = ORIGINAL[table];
  const { validator } = schema.tables[table];
  const fields = Object.entries<GenericValidator>(validator.fields);

  test(`every later field of ${table} is optional`, () => {
    const needed = fields.filter(([, field]) => field.isOptional === "required");

    assert.deepEqual(needed.map(([name]) => name).sort(), required);
    optional.forEach((name) => {
      assert.ok(name in validator.fields);
    });
  });

  test(`${table} keeps its indexes`, () => {
    const ours = schema.tables[table][" indexes"]();
    const kept = Object.fromEntries(
      ours.map(({ indexDescriptor, fields }) => [indexDescriptor, fields]),
    );

    for (const [name, of] of Object.entries(indexes)) {
      assert.deepEqual(kept[name], of);
    }
  });
}
