/** What days and hours cost and brought. */
import { v } from "convex/values";

import { internalMutation, internalQuery } from "./_generated/server.js";
import { backfillFigures } from "./model/backfill.js";
import { addCounts, readFigures } from "./model/figures.js";
import { counts, figures } from "./model/validators.js";

export const read = internalQuery({
  args: { first: v.string(), last: v.string() },
  returns: v.array(figures),
  handler: async (ctx, { first, last }) => await readFigures(ctx, first, last),
});

export const add = internalMutation({
  args: { counts },
  returns: v.null(),
  handler: async (ctx, { counts }) => {
    await addCounts(ctx, counts, Date.now());
    return null;
  },
});

export const backfill = internalMutation({
  args: {},
  returns: v.number(),
  handler: async (ctx) => await backfillFigures(ctx),
});
