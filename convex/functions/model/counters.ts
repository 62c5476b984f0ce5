/** Counts of things too many to count: kept in shards, summed on reading. */
import type { MutationCtx, QueryCtx } from "../_generated/server.js";

const SHARDS = 16;

export type CounterName = "conversations";

/** Change one random shard, so that concurrent writers seldom meet. */
export async function addToCounter(
  ctx: MutationCtx,
  name: CounterName,
  delta: number,
): Promise<void> {
  const shard = Math.floor(Math.random() * SHARDS);
  const counter = await ctx.db
    .query("counters")
    .withIndex("by_name_shard", (q) => q.eq("name", name).eq("shard", shard))
    .first();
  if (counter === null) {
    await ctx.db.insert("counters", { name, shard, value: delta });
  } else {
    await ctx.db.patch("counters", counter._id, { value: counter.value + delta });
  }
}

export async function readCounter(ctx: QueryCtx, name: CounterName): Promise<number> {
  const counters = await ctx.db
    .query("counters")
    .withIndex("by_name_shard", (q) => q.eq("name", name))
    .take(SHARDS);
  return counters.reduce((sum, counter) => sum + counter.value, 0);
}
