/** Conversations of the original service, which no counter knows yet. */
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { addToCounter, readCounter } from "./counters.js";

const ADOPT_CONVERSATIONS = 200;
// A list says at once how many there are, as long as no more than these are uncounted.
const MAX_UNCOUNTED = 1000;

/** Count a batch; returns whether there may be more. */
export async function adoptOriginals(ctx: MutationCtx): Promise<boolean> {
  const originals = await uncounted(ctx, ADOPT_CONVERSATIONS);
  for (const original of originals) {
    await ctx.db.patch("conversations", original._id, { counted: true });
  }
  if (originals.length > 0) {
    await addToCounter(ctx, "conversations", originals.length);
  }
  return originals.length === ADOPT_CONVERSATIONS;
}

export async function countConversations(ctx: QueryCtx): Promise<number> {
  const originals = await uncounted(ctx, MAX_UNCOUNTED);
  return (await readCounter(ctx, "conversations")) + originals.length;
}

async function uncounted(ctx: QueryCtx, limit: number): Promise<Doc<"conversations">[]> {
  return await ctx.db
    .query("conversations")
    .withIndex("by_counted", (q) => q.eq("counted", undefined))
    .take(limit);
}

/** Count a conversation that is being written anyway; returns what to write. */
export async function countOriginal(
  ctx: MutationCtx,
  conversation: Doc<"conversations">,
): Promise<{ counted?: boolean }> {
  if (conversation.counted === true) {
    return {};
  }
  await addToCounter(ctx, "conversations", 1);
  return { counted: true };
}
