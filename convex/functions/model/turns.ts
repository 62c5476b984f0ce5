/** What both halves of a turn know: where its messages stand, and how to find them. */
import type { Infer } from "convex/values";

import type { Doc, Id } from "../_generated/dataModel.js";
import type { QueryCtx } from "../_generated/server.js";
import type { question as questionValidator } from "./validators.js";

type Question = Infer<typeof questionValidator>;

// A question and the place that it keeps for its answer.
export const POSITIONS_A_TURN = 2;

/** What is permanently wrong with a question, if anything. */
export function contradiction(
  question: Pick<Question, "content" | "regenerate" | "assistant">,
  conversation: Pick<Doc<"conversations">, "nextPosition" | "assistant"> | null,
  asked: Pick<Doc<"messages">, "content" | "position"> | null,
): "otherAssistant" | "mismatch" | "notLast" | null {
  if (conversation !== null && conversation.assistant !== question.assistant) {
    return "otherAssistant";
  }
  if (asked !== null && asked.content !== question.content) {
    return "mismatch";
  }
  const last = (conversation?.nextPosition ?? 0) - POSITIONS_A_TURN;
  return question.regenerate && asked?.position !== last ? "notLast" : null;
}

export async function findQuestion(
  ctx: QueryCtx,
  conversationId: Id<"conversations">,
  turnId: string,
): Promise<Doc<"messages"> | null> {
  // The first of its turn: an answer is never stored before its question.
  return await ctx.db
    .query("messages")
    .withIndex("by_conversation_id_turn_id", (q) =>
      q.eq("conversationId", conversationId).eq("turnId", turnId),
    )
    .first();
}

/** Find the answer to a question, in the place that is kept for it. */
export async function findAnswer(
  ctx: QueryCtx,
  conversationId: Id<"conversations">,
  asked: Pick<Doc<"messages">, "position">,
): Promise<Doc<"messages"> | null> {
  return await ctx.db
    .query("messages")
    .withIndex("by_conversation_id_position", (q) =>
      q.eq("conversationId", conversationId).eq("position", answerPosition(asked)),
    )
    .first();
}

/** Tell whether a visitor or an operator said something behind a position. */
export async function hasSaidMore(
  ctx: QueryCtx,
  { _id, nextPosition }: Doc<"conversations">,
  position: number,
): Promise<boolean> {
  if ((nextPosition ?? 0) <= position + 1) {
    return false;
  }
  const behind = ctx.db
    .query("messages")
    .withIndex("by_conversation_id_position", (q) =>
      q.eq("conversationId", _id).gt("position", position),
    );
  for await (const { role } of behind) {
    if (role === "user" || role === "operator") {
      return true;
    }
  }
  return false;
}

/** A question that belongs to a turn always has a position. */
export function questionPosition(asked: Pick<Doc<"messages">, "position">): number {
  return asked.position ?? 0;
}

export function answerPosition(asked: Pick<Doc<"messages">, "position">): number {
  return questionPosition(asked) + 1;
}
