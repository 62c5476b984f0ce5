/** The outbox: what has to be told outside. */
import type { Infer } from "convex/values";

import type { Doc, Id } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import type { notice as noticeValidator, noticeType } from "./validators.js";

type Notice = Doc<"notices">;
type Type = Infer<typeof noticeType>;
type Shown = Infer<typeof noticeValidator>;

// app/storage/people_store.py says the same.
const MEMORY_MS = 7 * 24 * 60 * 60 * 1000;
// app/domain/conversation.py says the same.
const DEFAULT_ASSISTANT = "default";
const FORGET_AT_ONCE = 20;
const SWEEP_NOTICES = 200;
// Of those that are due; some of them may be leased.
const LOOK_AT = 1000;

interface NewNotice {
  type: Type;
  assistant: string;
  conversationId?: Id<"conversations">;
  messageId?: string;
  key?: string;
}

/** Put what happened in a conversation into the outbox. */
export async function putNotice(
  ctx: MutationCtx,
  type: Type,
  { _id, assistant = DEFAULT_ASSISTANT }: Pick<Doc<"conversations">, "_id" | "assistant">,
  now: number,
  messageId?: Id<"messages">,
): Promise<void> {
  await insert(ctx, { type, assistant, conversationId: _id, messageId }, now);
}

/** Put something into the outbox, once for its key. */
export async function putOnce(
  ctx: MutationCtx,
  notice: NewNotice & { key: string },
): Promise<void> {
  const known = await ctx.db
    .query("notices")
    .withIndex("by_key", (q) => q.eq("key", notice.key))
    .first();
  if (known === null) {
    await insert(ctx, notice, Date.now());
  }
}

/** Take notices that are due, oldest first. */
export async function claimNotices(
  ctx: MutationCtx,
  { holder, call, leaseMs, limit }: { holder: string; call: string; leaseMs: number; limit: number },
): Promise<Shown[]> {
  const now = Date.now();
  const due = await ctx.db
    .query("notices")
    .withIndex("by_is_over_due_at", (q) => q.eq("isOver", false).lte("dueAt", now))
    .take(LOOK_AT);
  const repeated = due.filter(({ lease }) => lease?.call === call);
  const free = due.filter(({ lease }) => lease === undefined || lease.until <= now);
  const claimed = (repeated.length > 0 ? repeated : free).sort(byAge).slice(0, limit);
  for (const { _id } of claimed) {
    await ctx.db.patch("notices", _id, { lease: { holder, call, until: now + leaseMs } });
  }
  return claimed.map(toNotice);
}

export interface Settlement extends Pick<Notice, "pending" | "attempts" | "problem" | "isGivenUp"> {
  holder: string;
  id: string;
  retryInMs?: number;
}

/** Note what came of an attempt; nothing where the notice is another holder's by now. */
export async function settleNotice(
  ctx: MutationCtx,
  { holder, id, retryInMs, pending, attempts, problem, isGivenUp }: Settlement,
): Promise<void> {
  const noticeId = ctx.db.normalizeId("notices", id);
  const notice = noticeId === null ? null : await ctx.db.get("notices", noticeId);
  if (notice?.lease?.holder !== holder || notice.isOver) {
    return;
  }
  await ctx.db.patch("notices", notice._id, {
    ...{ pending, attempts, problem, isGivenUp },
    isOver: retryInMs === undefined,
    dueAt: retryInMs === undefined ? notice.dueAt : Date.now() + retryInMs,
    // The holder stays: until another claims it, this one may settle it again.
    lease: { holder, call: "", until: 0 },
  });
}

/** Read the newest notices of the last days, newest first. */
export async function listNotices(ctx: QueryCtx, limit: number): Promise<Shown[]> {
  const newest = await ctx.db
    .query("notices")
    .withIndex("by_created_at", (q) => q.gt("createdAt", Date.now() - MEMORY_MS))
    .order("desc")
    .take(limit);
  return newest.map(toNotice);
}

/** Delete a batch of a removed conversation's notices; returns whether that was all. */
export async function sweepNotices(
  ctx: MutationCtx,
  conversationId: Id<"conversations">,
): Promise<boolean> {
  const batch = await ctx.db
    .query("notices")
    .withIndex("by_conversation_id", (q) => q.eq("conversationId", conversationId))
    .take(SWEEP_NOTICES);
  for (const { _id } of batch) {
    await ctx.db.delete("notices", _id);
  }
  return batch.length < SWEEP_NOTICES;
}

async function insert(ctx: MutationCtx, notice: NewNotice, now: number): Promise<void> {
  // A few for each that comes, so that the table cannot grow without end.
  const old = await ctx.db
    .query("notices")
    .withIndex("by_created_at", (q) => q.lte("createdAt", now - MEMORY_MS))
    .take(FORGET_AT_ONCE);
  for (const { _id } of old) {
    await ctx.db.delete("notices", _id);
  }
  const fresh = { attempts: 0, isGivenUp: false, isOver: false };
  await ctx.db.insert("notices", { ...notice, ...fresh, createdAt: now, dueAt: now });
}

function byAge(a: Notice, b: Notice): number {
  return a.createdAt - b.createdAt || a._creationTime - b._creationTime;
}

function toNotice(notice: Notice): Shown {
  const { _id, _creationTime, key, isOver, lease, ...shown } = notice;
  return { id: _id, ...shown };
}
