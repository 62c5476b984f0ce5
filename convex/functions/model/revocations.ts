/** Signed tokens that are used up before their time: remembered until they end by themselves. */
import type { MutationCtx, QueryCtx } from "../_generated/server.js";

// app/storage/protocol.py says the same.
const MEMORY_MS = 2 * 24 * 60 * 60 * 1000;
const FORGET_AT_ONCE = 20;

/** Remember a token; returns whether it was unknown. */
export async function revoke(ctx: MutationCtx, tokenId: string): Promise<boolean> {
  const now = Date.now();
  // A few for each that comes, so that the table cannot grow without end.
  const forgotten = await ctx.db
    .query("revocations")
    .withIndex("by_revoked_at", (q) => q.lt("revokedAt", now - MEMORY_MS))
    .take(FORGET_AT_ONCE);
  for (const { _id } of forgotten) {
    await ctx.db.delete("revocations", _id);
  }
  if (await isRevoked(ctx, tokenId)) {
    return false;
  }
  await ctx.db.insert("revocations", { tokenId, revokedAt: now });
  return true;
}

export async function isRevoked(ctx: QueryCtx, tokenId: string): Promise<boolean> {
  const found = await ctx.db
    .query("revocations")
    .withIndex("by_token_id", (q) => q.eq("tokenId", tokenId))
    .first();
  return found !== null;
}
