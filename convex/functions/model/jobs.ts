/** Who does a job now, and when it was done last. */
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";

type Job = Doc<"jobs">;

export interface Beginning {
  name: string;
  holder: string;
  leaseMs: number;
  everyMs: number;
}

/** Take the lease of a job, or prolong it; returns whether it is the holder's now. */
export async function beginJob(ctx: MutationCtx, beginning: Beginning): Promise<boolean> {
  const { name, holder, leaseMs } = beginning;
  const now = Date.now();
  const job = await findJob(ctx, name);
  const lease = { holder, until: now + leaseMs };
  if (job === null) {
    await ctx.db.insert("jobs", { name, lease });
    return true;
  }
  if (isRefused(job, beginning, now)) {
    return false;
  }
  await ctx.db.patch("jobs", job._id, { lease });
  return true;
}

/** Note that a job is done; nothing where the lease is another's. */
export async function endJob(ctx: MutationCtx, name: string, holder: string): Promise<void> {
  const job = await findJob(ctx, name);
  if (job?.lease?.holder === holder) {
    await ctx.db.patch("jobs", job._id, { lease: undefined, doneAt: Date.now() });
  }
}

function isRefused({ lease, doneAt }: Job, { holder, everyMs }: Beginning, now: number): boolean {
  if (lease !== undefined && lease.until > now) {
    return lease.holder !== holder;
  }
  return lease?.holder !== holder && doneAt !== undefined && now - doneAt < everyMs;
}

async function findJob(ctx: QueryCtx, name: string): Promise<Job | null> {
  return await ctx.db
    .query("jobs")
    .withIndex("by_name", (q) => q.eq("name", name))
    .first();
}
