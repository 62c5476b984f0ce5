/** The two halves of a turn. */
import { v } from "convex/values";

import { internalMutation } from "./_generated/server.js";
import { beginTurn } from "./model/begin.js";
import { finishTurn } from "./model/finish.js";
import { answer, beginning, counts, finished, question } from "./model/validators.js";

export const begin = internalMutation({
  args: {
    question,
    historyLimit: v.number(),
    leaseMs: v.number(),
    holder: v.string(),
    notesStarts: v.optional(v.boolean()),
  },
  returns: beginning,
  handler: async (ctx, args) => await beginTurn(ctx, args),
});

export const finish = internalMutation({
  args: {
    conversationId: v.string(),
    turnId: v.string(),
    attempt: v.number(),
    answer,
    counts: v.optional(counts),
  },
  returns: finished,
  handler: async (ctx, args) => await finishTurn(ctx, args),
});
