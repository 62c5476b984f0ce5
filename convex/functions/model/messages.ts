/** The messages of one conversation, in order, by pages. */
import type { Infer } from "convex/values";

import type { Doc, Id } from "../_generated/dataModel.js";
import type { QueryCtx } from "../_generated/server.js";
import { type Order, type ThreadPlace, toThreadCursor } from "./cursors.js";
import type { message as messageValidator } from "./validators.js";

// A page ends early rather than pass what one transaction may read (16 MiB).
const BATCH_MESSAGES = 100;
const MAX_PAGE_CHARS = 2_000_000;
// Questions without an answer may stand between.
const BEFORE = { behind: null, limit: 10, hasEvents: false };
// So many events may stand in a history without making it shorter.
const EVENTS_BETWEEN = 5;

export interface MessagePage {
  messages: Doc<"messages">[];
  nextCursor: string | null;
}

/** Read a page, oldest first whatever the order in which it was sought. */
export async function readMessages(
  ctx: QueryCtx,
  conversationId: Id<"conversations">,
  { order, limit, start }: { order: Order; limit: number; start: ThreadPlace | null },
): Promise<MessagePage> {
  const found: Doc<"messages">[] = [];
  let place = start;
  let chars = 0;
  let ended = false;
  while (!ended && found.length <= limit && chars < MAX_PAGE_CHARS) {
    const wanted = Math.min(limit + 1 - found.length, BATCH_MESSAGES);
    const batch = await readBatch(ctx, conversationId, order, place, wanted);
    found.push(...batch);
    chars += batch.reduce((sum, message) => sum + message.content.length, 0);
    place = placeOf(batch.at(-1)) ?? place;
    ended = batch.length < wanted;
  }
  const messages = found.slice(0, limit);
  const last = ended && found.length <= limit ? null : placeOf(messages.at(-1));
  return {
    messages: order === "asc" ? messages : messages.reverse(),
    nextCursor: last === null ? null : toThreadCursor(order, last),
  };
}

/** A part of a thread: up to a position, behind another; with events in between, or without. */
export interface Stretch {
  position: number;
  behind: number | null;
  limit: number;
  hasEvents: boolean;
}

/** Read the last messages of people and models up to a position, and behind another; oldest first. */
export async function readHistory(
  ctx: QueryCtx,
  conversationId: Id<"conversations">,
  { position, behind, limit, hasEvents }: Stretch,
): Promise<Doc<"messages">[]> {
  // The original's messages have no position, which is less than any.
  const newestFirst = await ctx.db
    .query("messages")
    .withIndex("by_conversation_id_position", (q) => {
      const thread = q.eq("conversationId", conversationId);
      return behind === null
        ? thread.lte("position", position)
        : thread.gt("position", behind).lte("position", position);
    })
    .order("desc")
    .take(hasEvents ? limit + EVENTS_BETWEEN : limit);
  const said = newestFirst.filter(({ role }) => role !== "system");
  return said.slice(0, limit).reverse();
}

/** The URLs that the last answer before a position cites; `history` are the last messages up to it. */
export async function readCited(
  ctx: QueryCtx,
  history: Doc<"messages">[],
  conversationId: Id<"conversations">,
  position: number,
): Promise<string[]> {
  const isAnswer = ({ role }: Doc<"messages">) => role === "assistant";
  // Where the prompt begins at the question itself, what stands before it was not read.
  const before = history.some(isAnswer)
    ? history
    : await readHistory(ctx, conversationId, { ...BEFORE, position });
  const sources = before.filter(isAnswer).at(-1)?.sources ?? [];
  return sources.flatMap(({ url }) => url ?? []);
}

/** What to write of a conversation with one message more; older ones are not counted. */
export function oneMessageMore({ messageCount }: Pick<Doc<"conversations">, "messageCount">) {
  return messageCount === undefined ? {} : { messageCount: messageCount + 1 };
}

/** Show a message as our server reads it. */
export function toMessage(message: Doc<"messages">): Infer<typeof messageValidator> {
  const { _id, _creationTime, conversationId, position, attempt, finished, ...rest } = message;
  const { gapOf, sourcesOf, n, saidKey, taken, ...shown } = rest;
  return { id: _id, ...shown };
}

async function readBatch(
  ctx: QueryCtx,
  conversationId: Id<"conversations">,
  order: Order,
  place: ThreadPlace | null,
  limit: number,
): Promise<Doc<"messages">[]> {
  const messages = ctx.db.query("messages");
  if (place === null) {
    return await messages
      .withIndex("by_conversation_id_position", (q) => q.eq("conversationId", conversationId))
      .order(order)
      .take(limit);
  }
  const { position, creationTime } = place;
  if (position !== null) {
    return await messages
      .withIndex("by_conversation_id_position", (q) => {
        const thread = q.eq("conversationId", conversationId);
        return order === "asc" ? thread.gt("position", position) : thread.lt("position", position);
      })
      .order(order)
      .take(limit);
  }
  const originals = await messages
    .withIndex("by_conversation_id_position", (q) => {
      const unplaced = q.eq("conversationId", conversationId).eq("position", undefined);
      return order === "asc"
        ? unplaced.gt("_creationTime", creationTime)
        : unplaced.lt("_creationTime", creationTime);
    })
    .order(order)
    .take(limit);
  if (order === "desc" || originals.length === limit) {
    return originals;
  }
  const ours = await ctx.db
    .query("messages")
    .withIndex("by_conversation_id_position", (q) =>
      q.eq("conversationId", conversationId).gte("position", 0),
    )
    .take(limit - originals.length);
  return [...originals, ...ours];
}

function placeOf(message: Doc<"messages"> | undefined): ThreadPlace | null {
  if (message === undefined) {
    return null;
  }
  return { position: message.position ?? null, creationTime: message._creationTime };
}
