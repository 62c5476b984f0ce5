/** What days and hours cost and brought. */
import { v } from "convex/values";

import { internalMutation, internalQuery } from "./_generated/server.js";
import { backfillFigures } from "./model/backfill.js";
import { addCounts, readFigures } from "./model/figures.js";
import { counts, figures } from "./model/validators.js";

export const read = internalQuery({
  args: { first: v.string(), last: v.string(), assistant: v.optional(v.string()) },
  returns: v.array(figures),
  handler: async (ctx, args) => await readFigures(ctx, args),
});

export const add = internalMutation({
  args: { counts, assistant: v.optional(v.string()) },
  returns: v.null(),
  handler: async (ctx, { counts, assistant }) => {
    await addCounts(ctx, assistant, counts, Date.now());
    return null;
  },
});

export const backfill = internalMutation({
  args: {},
  returns: v.number(),
  handler: async (ctx) => await backfillFigures(ctx),
});
