/** Conversations in which something was said, or that an id names. */
import type { Infer } from "convex/values";

import type { Doc, Id } from "../_generated/dataModel.js";
import type { QueryCtx } from "../_generated/server.js";
import { findConversation, readConversation } from "./conversations.js";
import { toThreadCursor } from "./cursors.js";
import { readMessages } from "./messages.js";
import type { match as matchValidator, search as searchValidator } from "./validators.js";

type Conversation = Doc<"conversations">;
type Message = Doc<"messages">;
type Search = Infer<typeof searchValidator>;

export interface Hit {
  conversation: Conversation;
  /** Absent where the id of the conversation, its session or its user was searched for. */
  match?: Infer<typeof matchValidator>;
}

// Convex orders what it finds by relevance; the list sorts these by time.
const MAX_HITS = 512;
const MAX_WORDS = 16;
const MAX_NAMED = 100;
// Of one conversation; app/storage/protocol.py shows no more of it either.
const MAX_LOOKED_THROUGH = 5000;
// A transaction has a limit of documents, and one of bytes.
const CHARS_A_DOCUMENT = 1000;
const CHARS_BEFORE = 60;
const CHARS_AFTER = 180;
// The newest page of a thread shows these; one that shows a message shows some behind it.
const SHOWN_AT_ONCE = 50;
const SHOWN_BEHIND = 10;

/**
 * Find conversations with a message that has all terms, in any case, or that the id names.
 * `null` where the index knows none, or more than it tells: then each must be looked through.
 */
export async function searchIndex(ctx: QueryCtx, { terms, id }: Search): Promise<Hit[] | null> {
  const said = await searchMessages(ctx, terms);
  if (said.length === MAX_HITS) {
    return null;
  }
  const { messages, conversations } = await named(ctx, id);
  const newest = new Map<Id<"conversations">, Message>();
  for (const message of [...messages, ...said.filter(({ content }) => hasAll(content, terms))]) {
    const known = newest.get(message.conversationId);
    if (known === undefined || known._creationTime < message._creationTime) {
      newest.set(message.conversationId, message);
    }
  }
  const hits = new Map<Id<"conversations">, Hit>(
    conversations.map((conversation) => [conversation._id, { conversation }]),
  );
  const ids = [...newest.keys()];
  const found = await Promise.all(ids.map((each) => ctx.db.get("conversations", each)));
  for (const conversation of found) {
    const message = conversation === null ? undefined : newest.get(conversation._id);
    // A removed conversation's messages may linger for a moment.
    if (conversation !== null && message !== undefined) {
      hits.set(conversation._id, { conversation, match: toMatch(conversation, message, terms) });
    }
  }
  return hits.size > 0 ? [...hits.values()] : null;
}

/** Look for the terms or the id in one conversation, back from its newest message. */
export async function lookThrough(
  ctx: QueryCtx,
  conversation: Conversation,
  { terms, id }: Search,
): Promise<{ hit: Hit | null; read: number }> {
  const start = { order: "desc", limit: MAX_LOOKED_THROUGH, start: null } as const;
  const { messages } = await readMessages(ctx, conversation._id, start);
  const message = messages.findLast(
    ({ _id, content, turnId, requestId }) =>
      hasAll(content, terms) || (id !== undefined && [_id, turnId, requestId].includes(id)),
  );
  const { _id, sessionId, user } = conversation;
  const isNamed = id !== undefined && [_id, sessionId, user].includes(id);
  const match = message && toMatch(conversation, message, terms);
  return {
    hit: match !== undefined || isNamed ? { conversation, match } : null,
    read: messages.reduce((sum, { content }) => sum + 1 + content.length / CHARS_A_DOCUMENT, 0),
  };
}

async function searchMessages(ctx: QueryCtx, terms: string[]): Promise<Message[]> {
  const words = terms.flatMap((term) => term.split(/\s+/u)).slice(0, MAX_WORDS);
  if (words.length === 0) {
    return [];
  }
  return await ctx.db
    .query("messages")
    .withSearchIndex("search_content", (q) => q.search("content", words.join(" ")))
    .take(MAX_HITS);
}

/** The index finds any of the words; the list promises all of them. */
function hasAll(content: string, terms: string[]): boolean {
  const text = content.toLowerCase();
  return terms.length > 0 && terms.every((term) => text.includes(term.toLowerCase()));
}

/** Find what an id names: a message of that id, turn or request; a conversation, session or user. */
async function named(
  ctx: QueryCtx,
  id: string | undefined,
): Promise<{ messages: Message[]; conversations: Conversation[] }> {
  if (id === undefined) {
    return { messages: [], conversations: [] };
  }
  const messageId = ctx.db.normalizeId("messages", id);
  const [message, ofTurn, ofRequest, conversation, ofSession, ofUser] = await Promise.all([
    messageId === null ? null : ctx.db.get("messages", messageId),
    ctx.db
      .query("messages")
      .withIndex("by_turn_id", (q) => q.eq("turnId", id))
      .take(MAX_NAMED),
    ctx.db
      .query("messages")
      .withIndex("by_request_id", (q) => q.eq("requestId", id))
      .take(MAX_NAMED),
    readConversation(ctx, id),
    findConversation(ctx, id),
    ctx.db
      .query("conversations")
      .withIndex("by_user_updated_at", (q) => q.eq("user", id))
      .order("desc")
      .take(MAX_NAMED),
  ]);
  const found = [conversation, ofSession, ...ofUser];
  return {
    messages: [...(message === null ? [] : [message]), ...ofTurn, ...ofRequest],
    conversations: found.filter((each) => each !== null),
  };
}

function toMatch(conversation: Conversation, message: Message, terms: string[]) {
  const { _id, _creationTime, role, content, position } = message;
  const behind = position === undefined ? Infinity : (conversation.nextPosition ?? 0) - position;
  const place =
    position === undefined
      ? { position: null, creationTime: _creationTime + 1 }
      : { position: position + SHOWN_BEHIND, creationTime: _creationTime };
  return {
    messageId: _id,
    role,
    text: excerpt(content, terms),
    cursor: behind > SHOWN_AT_ONCE ? toThreadCursor("desc", place) : null,
  };
}

/** Cut out the part in which a term stands first, on code points. */
export function excerpt(content: string, terms: string[]): string {
  const text = content.toLowerCase();
  const places = terms.map((term) => text.indexOf(term.toLowerCase())).filter((at) => at >= 0);
  const at = Math.min(...places, text.length);
  const begin = Math.max(0, (at === text.length ? 0 : at) - CHARS_BEFORE);
  const end = Math.min(content.length, begin + CHARS_BEFORE + CHARS_AFTER);
  const cut = content.slice(begin, end);
  const whole = cut.replace(/^[\uDC00-\uDFFF]/u, "").replace(/[\uD800-\uDBFF]$/u, "");
  return `${begin > 0 ? "…" : ""}${whole}${end < content.length ? "…" : ""}`;
}
