/** One conversation per session: find, open, show and remove it. */
import type { Infer } from "convex/values";

import { internal } from "../_generated/api.js";
import type { Doc, Id } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { addToCounter } from "./counters.js";
import { marksShown } from "./marks.js";
import { putNotice, sweepNotices } from "./notices.js";
import type { conversation as conversationValidator } from "./validators.js";

const SWEEP_MESSAGES = 200;
// app/domain/conversation.py says the same.
const DEFAULT_ASSISTANT = "default";

export async function findConversation(
  ctx: QueryCtx,
  sessionId: string,
): Promise<Doc<"conversations"> | null> {
  // Not `.unique()`: the original may have stored a session twice.
  return await ctx.db
    .query("conversations")
    .withIndex("by_session_id", (q) => q.eq("sessionId", sessionId))
    .first();
}

/** An assistant as documents name it: the default one not at all, as before the others. */
export function storedName(assistant: string): string | undefined {
  return assistant === DEFAULT_ASSISTANT ? undefined : assistant;
}

/** Read a conversation by an id from outside, which may be anything. */
export async function readConversation(
  ctx: QueryCtx,
  conversationId: string,
): Promise<Doc<"conversations"> | null> {
  const id = ctx.db.normalizeId("conversations", conversationId);
  return id === null ? null : await ctx.db.get("conversations", id);
}

/** Open a session's conversation, and count it; with a notice of it, if `notesStarts`. */
export async function openConversation(
  ctx: MutationCtx,
  session: { sessionId: string; user?: string; assistant?: string },
  now: number,
  notesStarts: boolean,
): Promise<Doc<"conversations">> {
  const id = await ctx.db.insert("conversations", {
    ...session,
    createdAt: now,
    updatedAt: now,
    counted: true,
    figured: true,
    messageCount: 0,
  });
  await addToCounter(ctx, "conversations", 1);
  const opened = await ctx.db.get("conversations", id);
  if (opened === null) {
    throw new Error("a document is readable once inserted");
  }
  if (notesStarts) {
    await putNotice(ctx, "conversation.started", opened, now);
  }
  return opened;
}

/**
 * Delete a conversation; what is left of its messages follows in batches.
 * Returns how many went with it.
 */
export async function removeConversation(
  ctx: MutationCtx,
  conversation: Doc<"conversations">,
): Promise<number> {
  await ctx.db.delete("conversations", conversation._id);
  if (conversation.counted === true) {
    await addToCounter(ctx, "conversations", -1);
  }
  return await sweepMessages(ctx, conversation._id);
}

/** Delete a batch of a removed conversation's messages and notices, and come again for more. */
export async function sweepMessages(
  ctx: MutationCtx,
  conversationId: Id<"conversations">,
): Promise<number> {
  const batch = await ctx.db
    .query("messages")
    .withIndex("by_conversation_id", (q) => q.eq("conversationId", conversationId))
    .take(SWEEP_MESSAGES);
  for (const message of batch) {
    await ctx.db.delete("messages", message._id);
  }
  const isSwept = await sweepNotices(ctx, conversationId);
  if (batch.length === SWEEP_MESSAGES || !isSwept) {
    await ctx.scheduler.runAfter(0, internal.conversations.sweep, { conversationId });
  }
  return batch.length;
}

/** Show a conversation as our server reads it. */
export function toConversation(
  conversation: Doc<"conversations">,
): Infer<typeof conversationValidator> {
  const { _id, sessionId, createdAt, updatedAt, lastMessage, page, user } = conversation;
  const { lastQuestion, messageCount, assistant, state, waitingSince, contact } = conversation;
  return {
    ...{ id: _id, sessionId, createdAt, updatedAt, lastMessage, page, user },
    ...{ lastQuestion, messageCount, assistant, marks: marksShown(conversation), contact },
    state: state ?? "bot",
    waitingSince: state === "waiting" ? waitingSince : undefined,
    unread: conversation.unread ?? 0,
    lastEvent: conversation.lastEvent ?? 0,
    seenEvent: conversation.seenEvent ?? 0,
  };
}
