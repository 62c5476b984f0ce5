/** Jobs that one process of many does. */
import { v } from "convex/values";

import { internalMutation } from "./_generated/server.js";
import { beginJob, endJob } from "./model/jobs.js";

export const begin = internalMutation({
  args: { name: v.string(), holder: v.string(), leaseMs: v.number(), everyMs: v.number() },
  returns: v.boolean(),
  handler: async (ctx, args) => await beginJob(ctx, args),
});

export const end = internalMutation({
  args: { name: v.string(), holder: v.string() },
  returns: v.null(),
  handler: async (ctx, { name, holder }) => {
    await endJob(ctx, name, holder);
    return null;
  },
});
