/** The part of the list that an index can serve. */
import type { Doc } from "../_generated/dataModel.js";
import type { QueryCtx } from "../_generated/server.js";
import { storedName } from "./conversations.js";
import type { ListPlace } from "./cursors.js";
import type { Filter } from "./listing.js";

type Conversation = Doc<"conversations">;

type Shown = Filter["feedback"] | Filter["status"];

/** Bounds on `updatedAt`, from and to; or one moment of it, by creation. */
type Bounds = { since: number; until: number } | { at: number; before: number };

/** What the rest of an index offers once its first field is fixed. */
interface ByTime<End> {
  eq(field: "updatedAt", value: number): { lt(field: "_creationTime", value: number): End };
  gte(field: "updatedAt", value: number): { lt(field: "updatedAt", value: number): End };
}

/** Read conversations behind a place, newest-updated first. */
export async function readRange(
  ctx: QueryCtx,
  where: Filter,
  behind: ListPlace | null,
  limit: number,
): Promise<Conversation[]> {
  const since = where.since ?? 0;
  const until = where.until ?? Number.MAX_SAFE_INTEGER;
  if (behind === null) {
    return await take(ctx, where, { since, until }, limit);
  }
  const { updatedAt, creationTime } = behind;
  const tied = await take(ctx, where, { at: updatedAt, before: creationTime }, limit);
  if (tied.length === limit) {
    return tied;
  }
  const older = { since, until: Math.min(until, updatedAt) };
  return [...tied, ...(await take(ctx, where, older, limit - tied.length))];
}

async function take(
  ctx: QueryCtx,
  where: Filter,
  bounds: Bounds,
  limit: number,
): Promise<Conversation[]> {
  return await narrowed(ctx, where, bounds).order("desc").take(limit);
}

/** Choose the index by the filter that is likely to leave least. */
function narrowed(ctx: QueryCtx, { assistant, user, feedback, status }: Filter, bounds: Bounds) {
  const mark = feedback ?? status;
  if (user !== undefined) {
    return ctx.db
      .query("conversations")
      .withIndex("by_user_updated_at", (q) => within(q.eq("user", user), bounds));
  }
  return assistant === undefined
    ? ofAll(ctx, mark, bounds)
    : ofOne(ctx, storedName(assistant), mark, bounds);
}

function ofAll(ctx: QueryCtx, mark: Shown, bounds: Bounds) {
  const conversations = ctx.db.query("conversations");
  switch (mark) {
    case "up":
      return conversations.withIndex("by_has_up_updated_at", (q) =>
        within(q.eq("hasUp", true), bounds),
      );
    case "down":
      return conversations.withIndex("by_has_down_updated_at", (q) =>
        within(q.eq("hasDown", true), bounds),
      );
    case "partial":
      return conversations.withIndex("by_has_partial_updated_at", (q) =>
        within(q.eq("hasPartial", true), bounds),
      );
    case "error":
      return conversations.withIndex("by_has_error_updated_at", (q) =>
        within(q.eq("hasError", true), bounds),
      );
    default:
      return conversations.withIndex("by_updated_at", (q) => within(q, bounds));
  }
}

function ofOne(ctx: QueryCtx, assistant: string | undefined, mark: Shown, bounds: Bounds) {
  const conversations = ctx.db.query("conversations");
  switch (mark) {
    case "up":
      return conversations.withIndex("by_assistant_has_up_updated_at", (q) =>
        within(q.eq("assistant", assistant).eq("hasUp", true), bounds),
      );
    case "down":
      return conversations.withIndex("by_assistant_has_down_updated_at", (q) =>
        within(q.eq("assistant", assistant).eq("hasDown", true), bounds),
      );
    case "partial":
      return conversations.withIndex("by_assistant_has_partial_updated_at", (q) =>
        within(q.eq("assistant", assistant).eq("hasPartial", true), bounds),
      );
    case "error":
      return conversations.withIndex("by_assistant_has_error_updated_at", (q) =>
        within(q.eq("assistant", assistant).eq("hasError", true), bounds),
      );
    default:
      return conversations.withIndex("by_assistant_updated_at", (q) =>
        within(q.eq("assistant", assistant), bounds),
      );
  }
}

function within<End>(index: ByTime<End>, bounds: Bounds): End {
  return "at" in bounds
    ? index.eq("updatedAt", bounds.at).lt("_creationTime", bounds.before)
    : index.gte("updatedAt", bounds.since).lt("updatedAt", bounds.until);
}
