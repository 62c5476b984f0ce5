/** Conversations in which something was said. */
import type { Doc } from "../_generated/dataModel.js";
import type { QueryCtx } from "../_generated/server.js";

// Convex orders what it finds by relevance; the list sorts these by time.
const MAX_HITS = 512;
const MAX_TERMS = 16;

/** Find conversations with a message that contains a text, in any case and order. */
export async function searchConversations(
  ctx: QueryCtx,
  text: string,
): Promise<Doc<"conversations">[]> {
  const terms = text.trim().split(/\s+/u).slice(0, MAX_TERMS).join(" ");
  const hits = await ctx.db
    .query("messages")
    .withSearchIndex("search_content", (q) => q.search("content", terms))
    .take(MAX_HITS);
  // The index finds any of the words; the list promises the text.
  const wanted = text.trim().toLowerCase();
  const ids = new Set(
    hits
      .filter(({ content }) => content.toLowerCase().includes(wanted))
      .map(({ conversationId }) => conversationId),
  );
  const found = await Promise.all([...ids].map((id) => ctx.db.get("conversations", id)));
  // A removed conversation's messages may linger for a moment.
  return found.filter((conversation) => conversation !== null);
}
