/** Turns that bear a mark, for whoever looks after them. */
import type { Infer } from "convex/values";

import type { Doc } from "../_generated/dataModel.js";
import type { QueryCtx } from "../_generated/server.js";
import { toConversation } from "./conversations.js";
import { toMessage } from "./messages.js";
import { readRange } from "./ranges.js";
import { findAnswer, findQuestion } from "./turns.js";
import type { mark as markValidator, markedTurn } from "./validators.js";

type Mark = Infer<typeof markValidator>;
type MarkedTurn = Infer<typeof markedTurn>;
type Conversation = Doc<"conversations">;

/** Find the newest turn with a mark of each of the conversations that were updated last. */
export async function listMarkedTurns(
  ctx: QueryCtx,
  { mark, limit, assistant }: { mark: Mark; limit: number; assistant?: string },
): Promise<MarkedTurn[]> {
  const where = mark === "up" || mark === "down" ? { feedback: mark } : { status: mark };
  const conversations = await readRange(ctx, { ...where, assistant }, null, limit);
  const turns = await Promise.all(conversations.map((each) => newestMarked(ctx, each, mark)));
  return turns.filter((turn) => turn !== null);
}

async function newestMarked(
  ctx: QueryCtx,
  conversation: Conversation,
  mark: Mark,
): Promise<MarkedTurn | null> {
  const marked = await findMarked(ctx, conversation, mark);
  const turnId = marked?.turnId;
  const asked = turnId === undefined ? null : await findQuestion(ctx, conversation._id, turnId);
  if (asked === null) {
    return null;
  }
  const answer = await findAnswer(ctx, conversation._id, asked);
  return {
    conversation: toConversation(conversation),
    question: toMessage(asked),
    answer: answer && toMessage(answer),
  };
}

async function findMarked(ctx: QueryCtx, { _id }: Conversation, mark: Mark) {
  const messages = ctx.db.query("messages");
  const found =
    mark === "up" || mark === "down"
      ? messages.withIndex("by_conversation_id_rating", (q) =>
          q.eq("conversationId", _id).eq("feedback.rating", mark),
        )
      : messages.withIndex("by_conversation_id_status", (q) =>
          q.eq("conversationId", _id).eq("status", mark),
        );
  return await found.order("desc").first();
}
