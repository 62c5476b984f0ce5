/** What a visitor may do to a whole session. */
import { v } from "convex/values";

import { internalMutation, internalQuery } from "./_generated/server.js";
import { deleteSession, isDeleted, setUser } from "./model/sessions.js";
import { userSet } from "./model/validators.js";

export const remove = internalMutation({
  args: { sessionId: v.string() },
  returns: v.null(),
  handler: async (ctx, { sessionId }) => {
    await deleteSession(ctx, sessionId);
    return null;
  },
});

export const deleted = internalQuery({
  args: { sessionId: v.string() },
  returns: v.boolean(),
  handler: async (ctx, { sessionId }) => await isDeleted(ctx, sessionId),
});

export const identify = internalMutation({
  args: { sessionId: v.string(), user: v.string() },
  returns: userSet,
  handler: async (ctx, { sessionId, user }) => await setUser(ctx, sessionId, user),
});
