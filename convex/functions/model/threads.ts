/** A conversation with a page of its messages. */
import type { Infer } from "convex/values";

import type { Doc } from "../_generated/dataModel.js";
import type { QueryCtx } from "../_generated/server.js";
import { toConversation } from "./conversations.js";
import { fromThreadCursor, type Order } from "./cursors.js";
import { readMessages, toMessage } from "./messages.js";
import type { thread } from "./validators.js";

export interface PageOfThread {
  order: Order;
  limit: number;
  cursor: string | null;
}

/** Read a page, its messages oldest first; `null` where there is no conversation. */
export async function readThread(
  ctx: QueryCtx,
  conversation: Doc<"conversations"> | null,
  { order, limit, cursor }: PageOfThread,
): Promise<Infer<typeof thread> | null> {
  const start = cursor === null ? null : fromThreadCursor(order, cursor);
  if (conversation === null) {
    return null;
  }
  const page = await readMessages(ctx, conversation._id, { order, limit, start });
  return {
    conversation: toConversation(conversation),
    messages: page.messages.map(toMessage),
    nextCursor: page.nextCursor,
  };
}

/** Tell which turn holds the conversation's lease now. */
export function runningTurnId(conversation: Doc<"conversations"> | null): string | undefined {
  const lease = conversation?.lease;
  return lease !== undefined && lease.until > Date.now() ? lease.turnId : undefined;
}
