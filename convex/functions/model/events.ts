/** A session's events: what operators said and did, each with a number of its own. */
import type { Infer } from "convex/values";

import type { Doc, Id } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { findConversation, readConversation } from "./conversations.js";
import { oneMessageMore, toMessage } from "./messages.js";
import { preview } from "./previews.js";
import { isDeleted } from "./sessions.js";
import { POSITIONS_A_TURN } from "./turns.js";
import type { eventKind, events as eventsValidator } from "./validators.js";

type Conversation = Doc<"conversations">;
type Events = Infer<typeof eventsValidator>;

/** What a new message writes of its conversation: the next place, and the next number. */
interface Place {
  nextPosition: number;
  lastEvent: number;
  updatedAt: number;
}

/** Store a system's message, which counts as none; returns what to write of the conversation. */
export async function addEvent(
  ctx: MutationCtx,
  conversation: Conversation,
  event: Infer<typeof eventKind>,
  author: string | undefined,
  now: number,
): Promise<Place> {
  const { message, place } = placed(conversation, now);
  await ctx.db.insert("messages", { ...message, role: "system", content: "", event, author });
  return place;
}

/** Store an operator's message; returns its id, and what to write of the conversation. */
export async function addWords(
  ctx: MutationCtx,
  conversation: Conversation,
  { text, author, key }: { text: string; author: string; key: string },
  now: number,
): Promise<{ messageId: Id<"messages">; fields: Partial<Conversation> }> {
  const { message, place } = placed(conversation, now);
  const words = { role: "operator" as const, content: text, author, saidKey: key };
  const messageId = await ctx.db.insert("messages", { ...message, ...words });
  return {
    messageId,
    fields: {
      ...place,
      ...oneMessageMore(conversation),
      lastMessage: preview(text),
      waitingSince: undefined,
      unread: undefined,
    },
  };
}

/** Read a session's events behind one of them. */
export async function eventsSince(
  ctx: QueryCtx,
  { sessionId, after, limit }: { sessionId: string; after: number; limit: number },
): Promise<Events | "deleted"> {
  const conversation = await findConversation(ctx, sessionId);
  if (conversation === null) {
    return (await isDeleted(ctx, sessionId)) ? "deleted" : { state: "bot", events: [], next: 0 };
  }
  // A greater number is of a conversation that was deleted.
  const start = after > (conversation.lastEvent ?? 0) ? 0 : after;
  const found = await ctx.db
    .query("messages")
    .withIndex("by_conversation_id_n", (q) =>
      q.eq("conversationId", conversation._id).gt("n", start),
    )
    .take(limit);
  return {
    state: conversation.state ?? "bot",
    events: found.map((message) => ({ n: message.n ?? 0, message: toMessage(message) })),
    next: found.at(-1)?.n ?? start,
  };
}

/** Note that an operator has read the thread, or the visitor its events so far. */
export async function noteSeen(
  ctx: MutationCtx,
  { conversationId, byVisitor, event }: { conversationId: string; byVisitor: boolean; event: number },
): Promise<void> {
  const conversation = await readConversation(ctx, conversationId);
  if (conversation === null) {
    return;
  }
  const { seenEvent = 0, lastEvent = 0, unread = 0 } = conversation;
  const seen = Math.min(event, lastEvent);
  if (byVisitor && seen > seenEvent) {
    await ctx.db.patch("conversations", conversation._id, { seenEvent: seen });
  }
  if (!byVisitor && unread > 0) {
    await ctx.db.patch("conversations", conversation._id, { unread: undefined });
  }
}

/** The position at which people gave the conversation back last, before another one. */
export async function givenBackAt(
  ctx: QueryCtx,
  { _id, lastEvent }: Conversation,
  before: number,
): Promise<number | null> {
  if (lastEvent === undefined) {
    return null;
  }
  const newestFirst = ctx.db
    .query("messages")
    .withIndex("by_conversation_id_n", (q) => q.eq("conversationId", _id).gt("n", 0))
    .order("desc");
  for await (const { event, position } of newestFirst) {
    if ((event === "released" || event === "closed") && (position ?? 0) < before) {
      return position ?? 0;
    }
  }
  return null;
}

function placed({ _id, nextPosition = 0, lastEvent = 0 }: Conversation, now: number) {
  const n = lastEvent + 1;
  return {
    message: { conversationId: _id, createdAt: now, position: nextPosition, n },
    place: { nextPosition: nextPosition + POSITIONS_A_TURN, lastEvent: n, updatedAt: now },
  };
}
