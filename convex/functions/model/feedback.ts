/** What visitors think of answers. */
import type { Infer } from "convex/values";

import type { MutationCtx } from "../_generated/server.js";
import { addCounts, type Counts } from "./figures.js";
import { markOfOpinion } from "./gaps.js";
import { Marks } from "./marks.js";
import type { feedback as feedbackValidator } from "./validators.js";

type Rating = Rated["feedback"]["rating"];

export interface Rated {
  sessionId: string;
  messageId: string;
  feedback: Infer<typeof feedbackValidator>;
}

/** Set the feedback of one of a session's answers; returns whether it has such an answer. */
export async function rateMessage(ctx: MutationCtx, rated: Rated): Promise<boolean> {
  const id = ctx.db.normalizeId("messages", rated.messageId);
  const message = id === null ? null : await ctx.db.get("messages", id);
  if (message?.role !== "assistant") {
    return false;
  }
  const conversation = await ctx.db.get("conversations", message.conversationId);
  if (conversation?.sessionId !== rated.sessionId) {
    return false;
  }
  const { feedback } = rated;
  const marks = new Marks(conversation.tally);
  marks.replace(message, { ...message, feedback });
  await ctx.db.patch("messages", message._id, {
    feedback,
    ...markOfOpinion(conversation.assistant, message, feedback.rating),
  });
  await ctx.db.patch("conversations", conversation._id, marks.fields());
  const former = message.feedback?.rating;
  if (former !== feedback.rating) {
    const counts = thumbs(former, feedback.rating);
    await addCounts(ctx, conversation.assistant, counts, message.createdAt);
  }
  return true;
}

/** One opinion in place of another, on the day of its answer. */
function thumbs(former: Rating | undefined, rating: Rating): Counts {
  return { [`thumbs_${rating}`]: 1, ...(former === undefined ? {} : { [`thumbs_${former}`]: -1 }) };
}
