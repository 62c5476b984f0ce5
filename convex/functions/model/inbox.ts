/** Conversations as people look for them. */
import type { Infer } from "convex/values";

import type { Doc } from "../_generated/dataModel.js";
import type { QueryCtx } from "../_generated/server.js";
import { storedName, toConversation } from "./conversations.js";
import type { conversation as conversationValidator } from "./validators.js";

type Shown = Infer<typeof conversationValidator>;

/** Read what waits, the longest first, then what people answer, newest first. */
export async function listInbox(
  ctx: QueryCtx,
  { assistant, limit }: { assistant?: string; limit: number },
): Promise<Shown[]> {
  const waiting = await readWaiting(ctx, assistant, limit);
  const left = limit - waiting.length;
  const human = left > 0 ? await readHuman(ctx, assistant, left) : [];
  return [...waiting, ...human].map(toConversation);
}

/** Find a user's conversation that was updated last. */
export async function findByUser(
  ctx: QueryCtx,
  user: string,
  assistant: string,
): Promise<Shown | null> {
  const found = await ctx.db
    .query("conversations")
    .withIndex("by_user_assistant_updated_at", (q) =>
      q.eq("user", user).eq("assistant", storedName(assistant)),
    )
    .order("desc")
    .first();
  return found && toConversation(found);
}

async function readWaiting(
  ctx: QueryCtx,
  assistant: string | undefined,
  limit: number,
): Promise<Doc<"conversations">[]> {
  const conversations = ctx.db.query("conversations");
  const waiting =
    assistant === undefined
      ? conversations.withIndex("by_state_waiting_since", (q) => q.eq("state", "waiting"))
      : conversations.withIndex("by_assistant_state_waiting_since", (q) =>
          q.eq("assistant", storedName(assistant)).eq("state", "waiting"),
        );
  return await waiting.take(limit);
}

async function readHuman(
  ctx: QueryCtx,
  assistant: string | undefined,
  limit: number,
): Promise<Doc<"conversations">[]> {
  const conversations = ctx.db.query("conversations");
  const human =
    assistant === undefined
      ? conversations.withIndex("by_state_updated_at", (q) => q.eq("state", "human"))
      : conversations.withIndex("by_assistant_state_updated_at", (q) =>
          q.eq("assistant", storedName(assistant)).eq("state", "human"),
        );
  return await human.order("desc").take(limit);
}
