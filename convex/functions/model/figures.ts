/**
 * What days and hours cost and brought, written with what it counts.
 *
 * A period's counts are kept in shards, so that turns which end at once seldom
 * write the same document. What the names mean is the server's business.
 */
import type { Infer } from "convex/values";

import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import type { counts as countsValidator, figures as figuresValidator } from "./validators.js";

export type Counts = Infer<typeof countsValidator>;
type Figures = Infer<typeof figuresValidator>;

const SHARDS = 8;
// A year of days, or a week of hours with room to spare.
const MAX_PERIODS = 400;
// The names of models are the provider's; beyond so many they are counted together.
const MAX_NAMES = 400;
const DAY_CHARS = "2026-11-22".length;
const HOUR_CHARS = "2026-11-22T14".length;
const KEEP_HOURS_MS = 7 * 24 * 60 * 60 * 1000;
const FORGET_HOURS = 400;

/** Add to the figures of a moment's day and hour. */
export async function addCounts(ctx: MutationCtx, counts: Counts, at: number): Promise<void> {
  const shard = Math.floor(Math.random() * SHARDS);
  await addToPeriod(ctx, dayOf(at), shard, counts);
  await addToPeriod(ctx, hourOf(at), shard, counts);
}

/** Add to the figures of a day whose hours nobody asks for any more. */
export async function addDayCounts(ctx: MutationCtx, day: string, counts: Counts): Promise<void> {
  await addToPeriod(ctx, day, Math.floor(Math.random() * SHARDS), counts);
}

/** Read the periods that have figures, oldest first; `first` and `last` are included. */
export async function readFigures(ctx: QueryCtx, first: string, last: string): Promise<Figures[]> {
  const shards = await ctx.db
    .query("figures")
    .withIndex("by_span_period_shard", (q) =>
      q.eq("span", spanOf(first)).gte("period", first).lte("period", last),
    )
    .take(SHARDS * MAX_PERIODS);
  const periods = new Map<string, Counts>();
  for (const { period, counts } of shards) {
    periods.set(period, sum(periods.get(period) ?? {}, counts));
  }
  return [...periods].map(([period, counts]) => ({ period, counts }));
}

/** Delete a batch of hours that nobody asks for any more; returns whether more may be left. */
export async function forgetHours(ctx: MutationCtx): Promise<boolean> {
  const old = await ctx.db
    .query("figures")
    .withIndex("by_span_period_shard", (q) =>
      q.eq("span", "hour").lt("period", hourOf(Date.now() - KEEP_HOURS_MS)),
    )
    .take(FORGET_HOURS);
  for (const { _id } of old) {
    await ctx.db.delete("figures", _id);
  }
  return old.length === FORGET_HOURS;
}

/** Add counts up by name; new names beyond the limit lose their model. */
export function sum(former: Counts, more: Counts): Counts {
  const total = { ...former };
  for (const [name, count] of Object.entries(more)) {
    const isFull = !(name in total) && Object.keys(total).length >= MAX_NAMES;
    const kept = isFull ? name.replace(/:.*/, ":other") : name;
    total[kept] = (total[kept] ?? 0) + count;
  }
  return total;
}

/** The UTC day of a moment. */
export function dayOf(at: number): string {
  return new Date(at).toISOString().slice(0, DAY_CHARS);
}

function hourOf(at: number): string {
  return new Date(at).toISOString().slice(0, HOUR_CHARS);
}

function spanOf(period: string): "day" | "hour" {
  return period.length === DAY_CHARS ? "day" : "hour";
}

async function addToPeriod(
  ctx: MutationCtx,
  period: string,
  shard: number,
  counts: Counts,
): Promise<void> {
  const span = spanOf(period);
  const former = await ctx.db
    .query("figures")
    .withIndex("by_span_period_shard", (q) =>
      q.eq("span", span).eq("period", period).eq("shard", shard),
    )
    .first();
  if (former === null) {
    await ctx.db.insert("figures", { span, period, shard, counts });
  } else {
    await ctx.db.patch("figures", former._id, { counts: sum(former.counts, counts) });
  }
}
