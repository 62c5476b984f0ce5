/** The part of the list that an index can serve. */
import type { Doc } from "../_generated/dataModel.js";
import type { QueryCtx } from "../_generated/server.js";
import type { ListPlace } from "./cursors.js";
import type { Filter } from "./listing.js";

type Conversation = Doc<"conversations">;

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
function narrowed(ctx: QueryCtx, { user, feedback, status }: Filter, bounds: Bounds) {
  const conversations = ctx.db.query("conversations");
  if (user !== undefined) {
    return conversations.withIndex("by_user_updated_at", (q) => within(q.eq("user", user), bounds));
  }
  if (feedback === "up") {
    return conversations.withIndex("by_has_up_updated_at", (q) =>
      within(q.eq("hasUp", true), bounds),
    );
  }
  if (feedback === "down") {
    return conversations.withIndex("by_has_down_updated_at", (q) =>
      within(q.eq("hasDown", true), bounds),
    );
  }
  if (status === "partial") {
    return conversations.withIndex("by_has_partial_updated_at", (q) =>
      within(q.eq("hasPartial", true), bounds),
    );
  }
  if (status === "error") {
    return conversations.withIndex("by_has_error_updated_at", (q) =>
      within(q.eq("hasError", true), bounds),
    );
  }
  return conversations.withIndex("by_updated_at", (q) => within(q, bounds));
}

function within<End>(index: ByTime<End>, bounds: Bounds): End {
  return "at" in bounds
    ? index.eq("updatedAt", bounds.at).lt("_creationTime", bounds.before)
    : index.gte("updatedAt", bounds.since).lt("updatedAt", bounds.until);
}
