/** The owner's switches. */
import type { QueryCtx } from "../_generated/server.js";

const MAX_SWITCHES = 100;

/** The names of the switches that are thrown. */
export async function readSwitches(ctx: QueryCtx): Promise<string[]> {
  const thrown = await ctx.db.query("switches").withIndex("by_name").take(MAX_SWITCHES);
  return thrown.map(({ name }) => name);
}
