/** What is known of a session beside its conversation: its user, and its end. */
import type { Infer } from "convex/values";

import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { findConversation, removeConversation } from "./conversations.js";
import type { userSet } from "./validators.js";

// app/storage/protocol.py says the same.
const MEMORY_MS = 45 * 24 * 60 * 60 * 1000;
const FORGET_AT_ONCE = 20;

type Session = Doc<"sessions">;

/** Remove a session's conversation, and remember that it was deleted. */
export async function deleteSession(ctx: MutationCtx, sessionId: string): Promise<void> {
  const conversation = await findConversation(ctx, sessionId);
  if (conversation !== null) {
    await removeConversation(ctx, conversation);
  }
  await remember(ctx, { sessionId, deleted: true });
}

export async function isDeleted(ctx: QueryCtx, sessionId: string): Promise<boolean> {
  const known = await findSession(ctx, sessionId);
  return known?.deleted === true;
}

/** Say whose session it is: on its conversation, or until it has one, here. */
export async function setUser(
  ctx: MutationCtx,
  sessionId: string,
  user: string,
): Promise<Infer<typeof userSet>> {
  const conversation = await findConversation(ctx, sessionId);
  const known = conversation ?? (await findSession(ctx, sessionId));
  if (known !== null && "deleted" in known && known.deleted) {
    return "deleted";
  }
  if (known?.user !== undefined && known.user !== user) {
    return "mismatch";
  }
  if (conversation === null) {
    await remember(ctx, { sessionId, deleted: false, user });
  } else {
    await ctx.db.patch("conversations", conversation._id, { user });
  }
  return "set";
}

/** Tell whose conversation is opened now, and forget it here. */
export async function takeUser(ctx: MutationCtx, sessionId: string): Promise<{ user?: string }> {
  const known = await findSession(ctx, sessionId);
  if (known === null) {
    return {};
  }
  await ctx.db.delete("sessions", known._id);
  return known.user === undefined ? {} : { user: known.user };
}

async function findSession(ctx: QueryCtx, sessionId: string): Promise<Session | null> {
  return await ctx.db
    .query("sessions")
    .withIndex("by_session_id", (q) => q.eq("sessionId", sessionId))
    .first();
}

async function remember(
  ctx: MutationCtx,
  session: Pick<Session, "sessionId" | "deleted" | "user">,
): Promise<void> {
  const now = Date.now();
  const known = await findSession(ctx, session.sessionId);
  if (known === null) {
    await ctx.db.insert("sessions", { ...session, changedAt: now });
  } else {
    await ctx.db.replace("sessions", known._id, { ...session, changedAt: now });
  }
  // A few for each that comes, so that the table cannot grow without end.
  const forgotten = await ctx.db
    .query("sessions")
    .withIndex("by_changed_at", (q) => q.lt("changedAt", now - MEMORY_MS))
    .take(FORGET_AT_ONCE);
  for (const { _id } of forgotten) {
    await ctx.db.delete("sessions", _id);
  }
}
