/** The operator's list: newest-updated first, narrowed, page by page. */
import type { Infer } from "convex/values";

import type { Doc } from "../_generated/dataModel.js";
import type { QueryCtx } from "../_generated/server.js";
import { storedName, toConversation } from "./conversations.js";
import { fromListCursor, type ListPlace, toListCursor } from "./cursors.js";
import { countConversations } from "./originals.js";
import { readRange } from "./ranges.js";
import { type Hit, lookThrough, searchIndex } from "./searching.js";
import type { conversationPage, filter } from "./validators.js";

type Conversation = Doc<"conversations">;
export type Filter = Infer<typeof filter>;

export interface Listing {
  limit: number;
  cursor: string | null;
  where: Filter;
}

// A filter without an index of its own reads this many a page; then the page
// may be short, or empty, while its cursor leads on.
const MAX_SCANNED = 2000;
// Up to just above this, a first page tells how many fit. app/domain/conversation.py says the same.
const MAX_FOUND = 100;
const BATCH_CONVERSATIONS = 250;

export async function listConversations(
  ctx: QueryCtx,
  { limit, cursor, where }: Listing,
): Promise<Infer<typeof conversationPage>> {
  const start = cursor === null ? null : fromListCursor(cursor);
  const isFiltered = Object.keys(where).length > 0;
  const isCounted = isFiltered && cursor === null;
  const wanted = isCounted ? Math.max(limit, MAX_FOUND) + 1 : limit + 1;
  const search = searchOf(where);
  const hits = search === undefined ? null : await searchIndex(ctx, search);
  const { found, rest } =
    hits === null
      ? await scan(ctx, where, start, wanted)
      : { found: sift(hits, where, start), rest: null };
  const page = found.slice(0, limit);
  const next = found.length > limit ? placeOf(page.at(-1)?.conversation) : rest;
  const isTold = isCounted && (rest === null || found.length > MAX_FOUND);
  return {
    conversations: page.map(({ conversation, match }) => ({
      ...toConversation(conversation),
      match,
    })),
    total: isFiltered ? null : await countConversations(ctx),
    found: isTold ? Math.min(found.length, MAX_FOUND + 1) : null,
    nextCursor: next === null ? null : toListCursor(next),
  };
}

/** What is searched for; an older server names one text. */
export function searchOf({ search, text }: Filter): Filter["search"] {
  return search ?? (text === undefined ? undefined : { terms: [text] });
}

/** Whether a conversation passes all of the filter but its text. */
export function matches(conversation: Conversation, where: Filter): boolean {
  const { updatedAt, tally, page, user, assistant, state } = conversation;
  return (
    updatedAt >= (where.since ?? 0) &&
    updatedAt < (where.until ?? Infinity) &&
    (where.user === undefined || user === where.user) &&
    (where.assistant === undefined || assistant === storedName(where.assistant)) &&
    (where.state === undefined || (state ?? "bot") === where.state) &&
    (where.page === undefined || page?.url.startsWith(where.page) === true) &&
    (where.status === undefined || (tally?.[where.status] ?? 0) > 0) &&
    (where.feedback === undefined || (tally?.[where.feedback] ?? 0) > 0)
  );
}

/** Read on from a place until enough are found; `rest` is where a long search stopped. */
async function scan(ctx: QueryCtx, where: Filter, start: ListPlace | null, wanted: number) {
  const search = searchOf(where);
  const found: Hit[] = [];
  let place = start;
  for (let scanned = 0; scanned < MAX_SCANNED; ) {
    const size = isIndexed(where) ? wanted - found.length : BATCH_CONVERSATIONS;
    const batch = await readRange(ctx, where, place, size);
    for (const conversation of batch.filter((each) => matches(each, where))) {
      const { hit, read } =
        search === undefined
          ? { hit: { conversation }, read: 0 }
          : await lookThrough(ctx, conversation, search);
      found.push(...(hit === null ? [] : [hit]));
      scanned += read;
      place = placeOf(conversation);
      if (found.length >= wanted || scanned >= MAX_SCANNED) {
        return { found, rest: found.length >= wanted ? null : place };
      }
    }
    if (batch.length < size) {
      return { found, rest: null };
    }
    scanned += batch.length;
    place = placeOf(batch.at(-1));
  }
  return { found, rest: place };
}

function sift(hits: Hit[], where: Filter, start: ListPlace | null): Hit[] {
  return hits
    .filter(({ conversation }) => matches(conversation, where))
    .filter(({ conversation }) => start === null || isBehind(conversation, start))
    .sort(({ conversation: a }, { conversation: b }) => {
      return b.updatedAt - a.updatedAt || b._creationTime - a._creationTime;
    });
}

/** Whether the index that serves this filter leaves nothing to sift. */
function isIndexed(where: Filter): boolean {
  const { assistant, user, feedback, status, page, state } = where;
  const isSifted = page !== undefined || state !== undefined || status === "complete";
  if (searchOf(where) !== undefined || isSifted) {
    return false;
  }
  const filters = [user, feedback, status].filter((wanted) => wanted !== undefined);
  const isOfOneUser = user !== undefined && assistant !== undefined;
  return filters.length === 0 || (filters.length === 1 && !isOfOneUser);
}

function isBehind({ updatedAt, _creationTime }: Conversation, place: ListPlace): boolean {
  return (
    updatedAt < place.updatedAt ||
    (updatedAt === place.updatedAt && _creationTime < place.creationTime)
  );
}

function placeOf(conversation: Conversation | undefined): ListPlace | null {
  if (conversation === undefined) {
    return null;
  }
  return { updatedAt: conversation.updatedAt, creationTime: conversation._creationTime };
}
