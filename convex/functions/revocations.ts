/** Tokens that are used up before their time. */
import { v } from "convex/values";

import { internalMutation, internalQuery } from "./_generated/server.js";
import { isRevoked, revoke } from "./model/revocations.js";

export const add = internalMutation({
  args: { tokenId: v.string() },
  returns: v.boolean(),
  handler: async (ctx, { tokenId }) => await revoke(ctx, tokenId),
});

export const has = internalQuery({
  args: { tokenId: v.string() },
  returns: v.boolean(),
  handler: async (ctx, { tokenId }) => await isRevoked(ctx, tokenId),
});
