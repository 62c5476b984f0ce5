/** Figures of the original's conversations, counted in batches. */
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx } from "../_generated/server.js";
import { addDayCounts, type Counts, dayOf, sum } from "./figures.js";

const BATCH_CONVERSATIONS = 50;
const BATCH_MESSAGES = 500;

type Conversation = Doc<"conversations">;

/** Count a batch; returns how many conversations were looked at. */
export async function backfillFigures(ctx: MutationCtx): Promise<number> {
  const conversations = await ctx.db
    .query("conversations")
    .withIndex("by_figured", (q) => q.eq("figured", undefined))
    .take(BATCH_CONVERSATIONS);
  const days = new Map<string, Counts>();
  let left = BATCH_MESSAGES;
  let looked = 0;
  for (const conversation of conversations) {
    if (left <= 0) {
      break;
    }
    left -= await countConversation(ctx, conversation, days, left);
    looked += 1;
  }
  for (const [day, counts] of days) {
    await addDayCounts(ctx, day, counts);
  }
  return looked;
}

/** Count at most `limit` messages, and note how far that went; returns how many there were. */
async function countConversation(
  ctx: MutationCtx,
  conversation: Conversation,
  days: Map<string, Counts>,
  limit: number,
): Promise<number> {
  const { _id, createdAt, updatedAt, seenDay: lastDay, figuring } = conversation;
  if (figuring === undefined) {
    add(days, dayOf(createdAt), "conversations");
  }
  const messages = await ctx.db
    .query("messages")
    .withIndex("by_conversation_id_position", (q) =>
      q
        .eq("conversationId", _id)
        .eq("position", undefined)
        .gt("_creationTime", figuring?.creationTime ?? 0),
    )
    .take(limit);
  let seenDay = figuring?.day ?? "";
  for (const { role, createdAt: at } of messages) {
    const day = dayOf(at);
    if (role === "assistant") {
      add(days, day, "turns");
    } else if (day !== seenDay) {
      seenDay = day;
      add(days, day, "visitors");
    }
  }
  const last = messages.at(-1);
  await ctx.db.patch(
    "conversations",
    _id,
    last !== undefined && messages.length === limit
      ? { figuring: { creationTime: last._creationTime, day: seenDay } }
      : { figured: true, figuring: undefined, seenDay: lastDay ?? dayOf(updatedAt) },
  );
  return messages.length;
}

function add(days: Map<string, Counts>, day: string, name: string): void {
  days.set(day, sum(days.get(day) ?? {}, { [name]: 1 }));
}
