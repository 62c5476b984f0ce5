/** How long conversations are kept. */
import type { MutationCtx } from "../_generated/server.js";
import { removeConversation } from "./conversations.js";

const FORGET_CONVERSATIONS = 20;
const DAY_MS = 24 * 60 * 60 * 1000;

/** Read `RETENTION_DAYS`: a number of days above 0, or `null` to keep everything. */
export function retentionDays(setting: string | undefined): number | null {
  const days = Number(setting?.trim() ?? "");
  return Number.isFinite(days) && days > 0 ? days : null;
}

/** Remove a batch of conversations unused for so long; returns whether more may be left. */
export async function forgetConversations(ctx: MutationCtx, days: number): Promise<boolean> {
  const stale = await ctx.db
    .query("conversations")
    .withIndex("by_updated_at", (q) => q.lt("updatedAt", Date.now() - days * DAY_MS))
    .take(FORGET_CONVERSATIONS);
  for (const conversation of stale) {
    await removeConversation(ctx, conversation);
  }
  return stale.length === FORGET_CONVERSATIONS;
}
