/** How long conversations are kept. */
import type { Infer } from "convex/values";

import type { MutationCtx } from "../_generated/server.js";
import { removeConversation } from "./conversations.js";
import { runningTurnId } from "./threads.js";
import type { purged } from "./validators.js";

const DAY_MS = 24 * 60 * 60 * 1000;
const BATCH_CONVERSATIONS = 20;
// A batch ends with the conversation that reaches it; each brings 200 at most.
const BATCH_MESSAGES = 200;
// Those whose turn is running stand in the way of none behind them.
const LOOK_AT = 200;

/** Read `RETENTION_DAYS`: a number of days above 0, or `null` to keep everything. */
export function retentionDays(setting: string | undefined): number | null {
  const days = Number(setting?.trim() ?? "");
  return Number.isFinite(days) && days > 0 ? days : null;
}

/** Remove a batch of conversations unused for so long, but those whose turn is running. */
export async function purge(ctx: MutationCtx, days: number): Promise<Infer<typeof purged>> {
  const stale = await ctx.db
    .query("conversations")
    .withIndex("by_updated_at", (q) => q.lt("updatedAt", Date.now() - days * DAY_MS))
    .take(LOOK_AT);
  const idle = stale.filter((conversation) => runningTurnId(conversation) === undefined);
  let messages = 0;
  let conversations = 0;
  for (const conversation of idle.slice(0, BATCH_CONVERSATIONS)) {
    messages += await removeConversation(ctx, conversation);
    conversations += 1;
    if (messages >= BATCH_MESSAGES) {
      break;
    }
  }
  return { conversations, hasMore: conversations < idle.length };
}
