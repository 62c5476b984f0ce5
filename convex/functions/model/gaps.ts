/** Questions that the pages did not answer, and what answers cite: marks on messages. */
import type { Infer } from "convex/values";

import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { findQuestion } from "./turns.js";
import type { citations, gap as gapValidator, gapReason } from "./validators.js";

type Gap = Infer<typeof gapValidator>;
type Reason = Infer<typeof gapReason>;
type Rating = NonNullable<Doc<"messages">["feedback"]>["rating"];

// A list ends early rather than pass what one transaction may read (16 MiB).
const MAX_CHARS = 2_000_000;
const BATCH_ANSWERS = 250;
// app/domain/conversation.py says the same.
const DEFAULT_ASSISTANT = "default";

/** The fields by which an answer with a gap, or with sources, is found. */
export function placesOf(
  assistant: string | undefined,
  { gap, sources }: { gap?: Reason; sources?: unknown[] },
) {
  const name = assistant ?? DEFAULT_ASSISTANT;
  return {
    ...(gap === undefined ? {} : { gapOf: name }),
    ...(sources === undefined || sources.length === 0 ? {} : { sourcesOf: name }),
  };
}

/** What an opinion writes: an answer that nobody marked is disliked, until it is liked. */
export function markOfOpinion(
  assistant: string | undefined,
  { gap }: Pick<Doc<"messages">, "gap">,
  rating: Rating,
) {
  if (rating === "down" && gap === undefined) {
    return { gap: "disliked" as const, gapOf: assistant ?? DEFAULT_ASSISTANT };
  }
  return rating === "up" && gap === "disliked" ? NO_GAP : {};
}

const NO_GAP = { gap: undefined, gapOf: undefined };

/** Read the newest answers that bear a mark, newest first. */
export async function listGaps(ctx: QueryCtx, assistant: string, limit: number): Promise<Gap[]> {
  const marked = ctx.db
    .query("messages")
    .withIndex("by_gap_of_created_at", (q) => q.eq("gapOf", assistant))
    .order("desc");
  const gaps: Gap[] = [];
  let chars = 0;
  for await (const answer of marked) {
    const gap = await toGap(ctx, answer);
    if (gap !== null) {
      gaps.push(gap);
      chars += gap.question.length + gap.answer.length;
    }
    if (gaps.length >= limit || chars > MAX_CHARS) {
      break;
    }
  }
  return gaps;
}

/** Take the mark off answers; those that bear none are passed over. */
export async function dismissGaps(
  ctx: MutationCtx,
  assistant: string,
  messageIds: string[],
): Promise<void> {
  for (const messageId of messageIds) {
    const id = ctx.db.normalizeId("messages", messageId);
    const message = id === null ? null : await ctx.db.get("messages", id);
    if (message?.gapOf === assistant) {
      await ctx.db.patch("messages", message._id, NO_GAP);
    }
  }
}

/** Read what a batch of answers cites, the newest first. */
export async function readCitations(
  ctx: QueryCtx,
  assistant: string,
  since: number,
  cursor: string | null,
): Promise<Infer<typeof citations>> {
  const { page, isDone, continueCursor } = await ctx.db
    .query("messages")
    .withIndex("by_sources_of_created_at", (q) =>
      q.eq("sourcesOf", assistant).gte("createdAt", since),
    )
    .order("desc")
    .paginate({ numItems: BATCH_ANSWERS, cursor });
  const sources = page.flatMap((answer) => answer.sources ?? []);
  return {
    names: sources.map(({ url, title }) => url ?? title),
    answers: page.length,
    nextCursor: isDone ? null : continueCursor,
  };
}

/** `null` where the conversation was deleted, and its messages follow. */
async function toGap(ctx: QueryCtx, answer: Doc<"messages">): Promise<Gap | null> {
  const { _id, conversationId, turnId, content, createdAt, gap } = answer;
  const conversation = await ctx.db.get("conversations", conversationId);
  if (conversation === null || gap === undefined) {
    return null;
  }
  const asked = turnId === undefined ? null : await findQuestion(ctx, conversationId, turnId);
  const pageUrl = conversation.page?.url;
  return {
    ...{ messageId: _id, conversationId, question: asked?.content ?? "", answer: content },
    ...{ reason: gap, createdAt, ...(pageUrl === undefined ? {} : { pageUrl }) },
  };
}
