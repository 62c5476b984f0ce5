/** The owner's switches; app/operations/switches.py says what their names mean. */
import { v } from "convex/values";

import { internalMutation, internalQuery } from "./_generated/server.js";

const MAX_SWITCHES = 100;

export const read = internalQuery({
  args: {},
  returns: v.array(v.string()),
  handler: async (ctx) => {
    const thrown = await ctx.db.query("switches").withIndex("by_name").take(MAX_SWITCHES);
    return thrown.map(({ name }) => name);
  },
});

export const set = internalMutation({
  args: { name: v.string(), thrown: v.boolean() },
  returns: v.null(),
  handler: async (ctx, { name, thrown }) => {
    const found = await ctx.db
      .query("switches")
      .withIndex("by_name", (q) => q.eq("name", name))
      .first();
    if (thrown && found === null) {
      await ctx.db.insert("switches", { name });
    } else if (!thrown && found !== null) {
      await ctx.db.delete("switches", found._id);
    }
    return null;
  },
});
