/** What Convex does by itself, from time to time: batches that come again for more. */
import { v } from "convex/values";

import { internal } from "./_generated/api.js";
import { env, internalMutation } from "./_generated/server.js";
import { forgetHours } from "./model/figures.js";
import { adoptOriginals } from "./model/originals.js";
import { purge as purgeConversations, retentionDays } from "./model/retention.js";
import { purged } from "./model/validators.js";

/** For a server that has a RETENTION_DAYS of its own, and comes again by itself. */
export const purge = internalMutation({
  args: { unusedDays: v.number() },
  returns: purged,
  handler: async (ctx, { unusedDays }) => await purgeConversations(ctx, unusedDays),
});

export const forget = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    const days = retentionDays(env["RETENTION_DAYS"]);
    if (days !== null && (await purgeConversations(ctx, days)).hasMore) {
      await ctx.scheduler.runAfter(0, internal.maintenance.forget, {});
    }
    return null;
  },
});

export const forgetFigures = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    if (await forgetHours(ctx)) {
      await ctx.scheduler.runAfter(0, internal.maintenance.forgetFigures, {});
    }
    return null;
  },
});

export const adopt = internalMutation({
  args: {},
  returns: v.null(),
  handler: async (ctx) => {
    if (await adoptOriginals(ctx)) {
      await ctx.scheduler.runAfter(0, internal.maintenance.adopt, {});
    }
    return null;
  },
});
