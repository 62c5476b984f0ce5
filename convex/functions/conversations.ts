/** Reading and removing conversations. */
import { v } from "convex/values";

import { internalMutation, internalQuery } from "./_generated/server.js";
import {
  findConversation,
  readConversation,
  removeConversation,
  sweepMessages,
} from "./model/conversations.js";
import { listConversations } from "./model/listing.js";
import { listMarkedTurns } from "./model/marked.js";
import { isDeleted } from "./model/sessions.js";
import { readThread, runningTurnId } from "./model/threads.js";
import {
  conversationPage,
  filter,
  mark,
  markedTurn,
  thread as threadValidator,
} from "./model/validators.js";

const cursor = v.union(v.string(), v.null());

export const list = internalQuery({
  args: { limit: v.number(), cursor, where: filter },
  returns: conversationPage,
  handler: async (ctx, args) => await listConversations(ctx, args),
});

export const marked = internalQuery({
  args: { mark, limit: v.number(), assistant: v.optional(v.string()) },
  returns: v.array(markedTurn),
  handler: async (ctx, args) => await listMarkedTurns(ctx, args),
});

export const thread = internalQuery({
  args: { conversationId: v.string(), newestFirst: v.boolean(), limit: v.number(), cursor },
  returns: v.union(threadValidator, v.null()),
  handler: async (ctx, { conversationId, newestFirst, limit, cursor }) => {
    const order = newestFirst ? "desc" : "asc";
    const conversation = await readConversation(ctx, conversationId);
    return await readThread(ctx, conversation, { order, limit, cursor });
  },
});

export const bySession = internalQuery({
  args: { sessionId: v.string(), limit: v.number(), cursor },
  returns: v.union(threadValidator, v.literal("deleted"), v.null()),
  handler: async (ctx, { sessionId, limit, cursor }) => {
    const conversation = await findConversation(ctx, sessionId);
    if (conversation === null && (await isDeleted(ctx, sessionId))) {
      return "deleted";
    }
    const thread = await readThread(ctx, conversation, { order: "desc", limit, cursor });
    return thread && { ...thread, runningTurnId: runningTurnId(conversation) };
  },
});

export const remove = internalMutation({
  args: { conversationId: v.string() },
  returns: v.boolean(),
  handler: async (ctx, { conversationId }) => {
    const conversation = await readConversation(ctx, conversationId);
    if (conversation === null) {
      return false;
    }
    await removeConversation(ctx, conversation);
    return true;
  },
});

export const sweep = internalMutation({
  args: { conversationId: v.id("conversations") },
  returns: v.null(),
  handler: async (ctx, { conversationId }) => {
    await sweepMessages(ctx, conversationId);
    return null;
  },
});
