/** Where people answer: who does, what they say, and who has read it. */
import { v } from "convex/values";

import { internalMutation, internalQuery } from "./_generated/server.js";
import { eventsSince, noteSeen } from "./model/events.js";
import { handOver as handConversationOver, say as sayWords, setContact as keepContact } from "./model/handovers.js";
import { findByUser, listInbox } from "./model/inbox.js";
import {
  actor,
  contactSet,
  conversation,
  events as eventsValidator,
  handedOver,
  message,
  newContact,
  step,
} from "./model/validators.js";

export const handOver = internalMutation({
  args: { by: actor, step, notesStarts: v.boolean(), call: v.string() },
  returns: handedOver,
  handler: async (ctx, args) => await handConversationOver(ctx, args),
});

export const say = internalMutation({
  args: { conversationId: v.string(), name: v.string(), text: v.string(), key: v.string() },
  returns: v.union(message, v.null()),
  handler: async (ctx, args) => await sayWords(ctx, args),
});

export const setContact = internalMutation({
  args: {
    sessionId: v.string(),
    assistant: v.optional(v.string()),
    contact: newContact,
    notesStarts: v.boolean(),
  },
  returns: contactSet,
  handler: async (ctx, args) => await keepContact(ctx, args),
});

export const seen = internalMutation({
  args: { conversationId: v.string(), byVisitor: v.boolean(), event: v.number() },
  returns: v.null(),
  handler: async (ctx, args) => {
    await noteSeen(ctx, args);
    return null;
  },
});

export const events = internalQuery({
  args: { sessionId: v.string(), after: v.number(), limit: v.number() },
  returns: v.union(eventsValidator, v.literal("deleted")),
  handler: async (ctx, args) => await eventsSince(ctx, args),
});

export const inbox = internalQuery({
  args: { assistant: v.optional(v.string()), limit: v.number() },
  returns: v.array(conversation),
  handler: async (ctx, args) => await listInbox(ctx, args),
});

export const byUser = internalQuery({
  args: { user: v.string(), assistant: v.string() },
  returns: v.union(conversation, v.null()),
  handler: async (ctx, { user, assistant }) => await findByUser(ctx, user, assistant),
});
