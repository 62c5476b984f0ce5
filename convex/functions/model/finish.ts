/** The second half of a turn: how it ended is stored, and the lease given back. */
import type { Infer } from "convex/values";

import type { Doc, Id } from "../_generated/dataModel.js";
import type { MutationCtx } from "../_generated/server.js";
import { readConversation } from "./conversations.js";
import { addCounts, type Counts } from "./figures.js";
import { placesOf } from "./gaps.js";
import { Marks } from "./marks.js";
import { oneMessageMore } from "./messages.js";
import { preview } from "./previews.js";
import { answerPosition, findAnswer, findQuestion, hasSaidMore } from "./turns.js";
import type { answer as answerValidator, finished } from "./validators.js";

// app/domain/conversation.py says the same.
const TAKEN = "taken";
// Figures of what was complete, or failed; app/domain/figures.py names them.
const OF_OTHER_ENDS = /^(?:latency\.\d+|errors|unanswered)$/;

type Conversation = Doc<"conversations">;
type Message = Doc<"messages">;

export interface Finish {
  conversationId: string;
  turnId: string;
  attempt: number;
  answer: Infer<typeof answerValidator>;
  /** What this end adds to the day's figures. */
  counts?: Counts;
}

/** Returns `null` where the attempt is no longer the turn's current one. */
export async function finishTurn(
  ctx: MutationCtx,
  finish: Finish,
): Promise<Infer<typeof finished>> {
  const conversation = await readConversation(ctx, finish.conversationId);
  const asked = conversation && (await findQuestion(ctx, conversation._id, finish.turnId));
  if (conversation === null || asked === null || asked.attempt !== finish.attempt) {
    return null;
  }
  // What people are to answer has no attempt.
  if (finish.attempt === 0) {
    return null;
  }
  if (asked.finished !== finish.attempt) {
    const end = asked.taken === finish.attempt ? taken(finish) : finish;
    return { messageId: await storeEnd(ctx, conversation, asked, end) };
  }
  const answer = asked.status === undefined ? await findAnswer(ctx, conversation._id, asked) : null;
  return { messageId: answer?._id };
}

/** An answer during which a person took over is never complete. */
function taken({ answer, counts, ...finish }: Finish): Finish {
  const { gap, ...said } = answer;
  const end = { ...finish, answer: { ...said, status: "partial" as const, finishReason: TAKEN } };
  if (counts === undefined) {
    return end;
  }
  const kept = Object.entries(counts).filter(([name]) => !OF_OTHER_ENDS.test(name));
  return { ...end, counts: { ...Object.fromEntries(kept), partial: 1 } };
}

async function storeEnd(
  ctx: MutationCtx,
  conversation: Conversation,
  asked: Message,
  { attempt, answer, counts }: Finish,
): Promise<Id<"messages"> | undefined> {
  const now = Date.now();
  const marks = new Marks(conversation.tally);
  const said = answer.content !== "";
  // What was said bears how the turn ended; where nothing was, its question does.
  const silent = said ? undefined : answer;
  const status = silent?.status;
  marks.replace(asked, { ...asked, status });
  await ctx.db.patch("messages", asked._id, {
    finished: attempt,
    status,
    errorCode: silent?.errorCode,
    requestId: silent?.requestId,
  });
  const stored = said ? await storeAnswer(ctx, conversation, asked, answer, now, marks) : undefined;
  await ctx.db.patch("conversations", conversation._id, {
    updatedAt: now,
    ...marks.fields(),
    ...(said ? await lastAnswer(ctx, conversation, asked, answer.content) : {}),
    ...(stored?.isNew === true ? oneMessageMore(conversation) : {}),
    ...leaseGivenBack(conversation, asked),
  });
  if (counts !== undefined) {
    await addCounts(ctx, conversation.assistant, counts, now);
  }
  return stored?.messageId;
}

async function storeAnswer(
  ctx: MutationCtx,
  { assistant }: Conversation,
  asked: Message,
  answer: Finish["answer"],
  now: number,
  marks: Marks,
): Promise<{ messageId: Id<"messages">; isNew: boolean }> {
  const { conversationId, turnId } = asked;
  const message = {
    ...answer,
    ...placesOf(assistant, answer),
    conversationId,
    role: "assistant" as const,
    createdAt: now,
    position: answerPosition(asked),
    turnId,
  };
  const former = await findAnswer(ctx, conversationId, asked);
  marks.replace(former, message);
  if (former === null) {
    return { messageId: await ctx.db.insert("messages", message), isNew: true };
  }
  await ctx.db.replace("messages", former._id, message);
  return { messageId: former._id, isNew: false };
}

/** The preview shows the last message, and a later turn's question is later. */
async function lastAnswer(
  ctx: MutationCtx,
  conversation: Conversation,
  asked: Message,
  content: string,
) {
  const isLast = !(await hasSaidMore(ctx, conversation, answerPosition(asked)));
  return isLast ? { lastMessage: preview(content) } : {};
}

/** By turn: a later one may hold the lease by now. */
function leaseGivenBack({ lease }: Conversation, { turnId }: Message) {
  return lease?.turnId === turnId ? { lease: undefined } : {};
}
