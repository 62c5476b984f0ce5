/** The owner's switches; app/operations/switches.py says what their names mean. */
import { v } from "convex/values";

import { internalMutation, internalQuery } from "./_generated/server.js";
import { readVersions } from "./model/knowledge.js";
import { readSwitches } from "./model/switches.js";
import { state as stateValidator } from "./model/validators.js";

/** For a server of before version 5. */
export const read = internalQuery({
  args: {},
  returns: v.array(v.string()),
  handler: async (ctx) => await readSwitches(ctx),
});

export const state = internalQuery({
  args: {},
  returns: stateValidator,
  handler: async (ctx) => ({
    switches: await readSwitches(ctx),
    knowledge: await readVersions(ctx),
  }),
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
