/** How the lease of a turn that runs, or ran too long, comes to its end. */
import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx } from "../_generated/server.js";
import { addCounts } from "./figures.js";
import { Marks } from "./marks.js";
import { findQuestion } from "./turns.js";

// app/domain/conversation.py says the same.
const LEASE_EXPIRED = "lease_expired";

type Conversation = Doc<"conversations">;
type Message = Doc<"messages">;

/** Note that the turn that holds the lease, if any, is past it. */
export async function endExpiredTurn(
  ctx: MutationCtx,
  { _id, lease }: Conversation,
  marks: Marks,
): Promise<Message | null> {
  const running = lease === undefined ? null : await findQuestion(ctx, _id, lease.turnId);
  if (running === null) {
    return null;
  }
  const ended: Message = { ...running, status: "error", errorCode: LEASE_EXPIRED };
  marks.replace(running, ended);
  await ctx.db.patch("messages", running._id, { status: "error", errorCode: LEASE_EXPIRED });
  return ended;
}

/** End the lease of the turn that runs: its answer comes to nothing complete. */
export async function takeTurn(
  ctx: MutationCtx,
  conversation: Conversation,
  now: number,
): Promise<Partial<Conversation>> {
  const { _id, assistant, lease, tally } = conversation;
  if (lease === undefined) {
    return {};
  }
  const running = await findQuestion(ctx, _id, lease.turnId);
  if (running !== null) {
    await ctx.db.patch("messages", running._id, { taken: running.attempt });
  }
  if (lease.until > now) {
    return { lease: undefined };
  }
  const marks = new Marks(tally);
  if ((await endExpiredTurn(ctx, conversation, marks)) !== null) {
    await addCounts(ctx, assistant, { turns: 1, errors: 1 }, now);
  }
  return { lease: undefined, ...marks.fields() };
}
