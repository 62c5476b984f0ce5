/**
 * What days and hours cost and brought, written with what it counts.
 *
 * A period's counts are kept in shards, so that turns which end at once seldom
 * write the same document. What the names mean is the server's business.
 */
import type { Infer } from "convex/values";

import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { storedName } from "./conversations.js";
import type { counts as countsValidator, figures as figuresValidator } from "./validators.js";

export type Counts = Infer<typeof countsValidator>;
type Figures = Infer<typeof figuresValidator>;
type Shard = Omit<Doc<"figures">, "_id" | "_creationTime">;

const SHARDS = 8;
// In one call: of one assistant a year of days, or a week of hours with room to spare.
const MAX_SHARDS = SHARDS * 400;
// The names of models are the provider's; beyond so many they are counted together.
const MAX_NAMES = 400;
const DAY_CHARS = "2026-11-22".length;
const HOUR_CHARS = "2026-11-22T14".length;
const KEEP_HOURS_MS = 7 * 24 * 60 * 60 * 1000;
const FORGET_HOURS = 400;

export interface Periods {
  first: string;
  last: string;
  assistant?: string;
}

/** Add to an assistant's figures of a moment's day and hour. */
export async function addCounts(
  ctx: MutationCtx,
  assistant: string | undefined,
  counts: Counts,
  at: number,
): Promise<void> {
  const shard = Math.floor(Math.random() * SHARDS);
  await addToShard(ctx, { assistant, period: dayOf(at), shard, counts });
  await addToShard(ctx, { assistant, period: hourOf(at), shard, counts });
}

/** Add to the default assistant's figures of a day whose hours nobody asks for any more. */
export async function addDayCounts(ctx: MutationCtx, period: string, counts: Counts): Promise<void> {
  await addToShard(ctx, { period, shard: Math.floor(Math.random() * SHARDS), counts });
}

/**
 * Read the periods that have figures, oldest first; `first` and `last` are included.
 * Where those are too many for one call, the last one names the `next`.
 */
export async function readFigures(ctx: QueryCtx, wanted: Periods): Promise<Figures[]> {
  const shards = await readShards(ctx, wanted);
  const periods = new Map<string, Counts>();
  for (const { period, counts } of shards) {
    periods.set(period, sum(periods.get(period) ?? {}, counts));
  }
  const found: Figures[] = [...periods].map(([period, counts]) => ({ period, counts }));
  const cut = shards.length === MAX_SHARDS ? found.pop() : undefined;
  return found.map((each, at) =>
    at === found.length - 1 && cut !== undefined ? { ...each, next: cut.period } : each,
  );
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

async function readShards(ctx: QueryCtx, { first, last, assistant }: Periods): Promise<Shard[]> {
  const figures = ctx.db.query("figures");
  const span = spanOf(first);
  const found =
    assistant === undefined
      ? figures.withIndex("by_span_period_shard", (q) =>
          q.eq("span", span).gte("period", first).lte("period", last),
        )
      : figures.withIndex("by_assistant_span_period_shard", (q) =>
          q
            .eq("assistant", storedName(assistant))
            .eq("span", span)
            .gte("period", first)
            .lte("period", last),
        );
  return await found.take(MAX_SHARDS);
}

async function addToShard(ctx: MutationCtx, added: Omit<Shard, "span">): Promise<void> {
  const { assistant, period, shard, counts } = added;
  const span = spanOf(period);
  const former = await ctx.db
    .query("figures")
    .withIndex("by_assistant_span_period_shard", (q) =>
      q.eq("assistant", assistant).eq("span", span).eq("period", period).eq("shard", shard),
    )
    .first();
  if (former === null) {
    await ctx.db.insert("figures", { ...added, span });
  } else {
    await ctx.db.patch("figures", former._id, { counts: sum(former.counts, counts) });
  }
}
