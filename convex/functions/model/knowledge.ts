/** The version of each assistant's documents, and how learning goes. */
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";

// Many more than anybody has.
const MAX_ASSISTANTS = 1000;

/** The versions of assistants that have documents. */
export async function readVersions(ctx: QueryCtx) {
  const known = await ctx.db.query("knowledge").withIndex("by_assistant").take(MAX_ASSISTANTS);
  return known
    .filter(({ hasDocuments }) => hasDocuments)
    .map(({ assistant, version }) => ({ assistant, version }));
}

export async function readVersion(ctx: QueryCtx, assistant: string): Promise<number> {
  return (await findKnowledge(ctx, assistant))?.version ?? 0;
}

/** Note the version of a write that changed something. */
export async function setVersion(
  ctx: MutationCtx,
  assistant: string,
  version: number,
): Promise<void> {
  const found = await findKnowledge(ctx, assistant);
  const left = await ctx.db
    .query("documents")
    .withIndex("by_assistant_is_forgotten_key", (q) =>
      q.eq("assistant", assistant).eq("isForgotten", false),
    )
    .first();
  const knowledge = { assistant, version, hasDocuments: left !== null };
  if (found === null) {
    await ctx.db.insert("knowledge", knowledge);
  } else {
    await ctx.db.patch("knowledge", found._id, knowledge);
  }
}

/** Keep a report; returns whether learning is to go on. `reporter` names one call. */
export async function putReport(
  ctx: MutationCtx,
  assistant: string,
  report: string,
  reporter: string,
): Promise<boolean> {
  const found = await findLearning(ctx, assistant);
  if (found?.reporter === reporter) {
    return found.goesOn !== false;
  }
  const goesOn = found?.isCancelled !== true;
  const learning = { assistant, report, reporter, goesOn, isCancelled: false };
  if (found === null) {
    await ctx.db.insert("learning", learning);
  } else {
    await ctx.db.replace("learning", found._id, learning);
  }
  return goesOn;
}

export async function readReport(ctx: QueryCtx, assistant: string): Promise<string | null> {
  return (await findLearning(ctx, assistant))?.report ?? null;
}

/** Ask whoever learns to stop, at its next report. */
export async function cancelLearning(ctx: MutationCtx, assistant: string): Promise<void> {
  const found = await findLearning(ctx, assistant);
  if (found === null) {
    await ctx.db.insert("learning", { assistant, isCancelled: true });
  } else {
    await ctx.db.patch("learning", found._id, { isCancelled: true });
  }
}

async function findKnowledge(ctx: QueryCtx, assistant: string): Promise<Doc<"knowledge"> | null> {
  return await ctx.db
    .query("knowledge")
    .withIndex("by_assistant", (q) => q.eq("assistant", assistant))
    .first();
}

async function findLearning(ctx: QueryCtx, assistant: string): Promise<Doc<"learning"> | null> {
  return await ctx.db
    .query("learning")
    .withIndex("by_assistant", (q) => q.eq("assistant", assistant))
    .first();
}
