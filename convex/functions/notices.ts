/** The outbox: what has to be told outside, and who tells it. */
import { v } from "convex/values";

import { internalMutation, internalQuery } from "./_generated/server.js";
import { readConversation } from "./model/conversations.js";
import { claimNotices, listNotices, putOnce, settleNotice } from "./model/notices.js";
import { notice, noticeFields, noticeType } from "./model/validators.js";

export const put = internalMutation({
  args: {
    type: noticeType,
    assistant: v.string(),
    conversationId: v.optional(v.string()),
    messageId: v.optional(v.string()),
    key: v.string(),
  },
  returns: v.null(),
  handler: async (ctx, { conversationId, ...args }) => {
    if (conversationId === undefined) {
      await putOnce(ctx, args);
      return null;
    }
    const conversation = await readConversation(ctx, conversationId);
    if (conversation !== null) {
      await putOnce(ctx, { ...args, conversationId: conversation._id });
    }
    return null;
  },
});

export const claim = internalMutation({
  args: { holder: v.string(), call: v.string(), leaseMs: v.number(), limit: v.number() },
  returns: v.array(notice),
  handler: async (ctx, args) => await claimNotices(ctx, args),
});

export const settle = internalMutation({
  args: {
    ...noticeFields,
    holder: v.string(),
    id: v.string(),
    retryInMs: v.optional(v.number()),
  },
  returns: v.null(),
  handler: async (ctx, args) => {
    await settleNotice(ctx, args);
    return null;
  },
});

export const list = internalQuery({
  args: { limit: v.number() },
  returns: v.array(notice),
  handler: async (ctx, { limit }) => await listNotices(ctx, limit),
});
