/**
 * The tables: the original service's, with every later field optional, so that
 * its deployments are upgraded in place.
 */
import { defineSchema, defineTable } from "convex/server";
import { v } from "convex/values";

import {
  contact,
  conversationState,
  counts,
  documentFields,
  lease,
  messageFields,
  noticeFields,
  noticeType,
  page,
  tally,
} from "./model/validators.js";

export default defineSchema({
  conversations: defineTable({
    sessionId: v.string(),
    createdAt: v.number(),
    updatedAt: v.number(),
    lastMessage: v.optional(v.string()),
    // Where the next question will stand; its answer stands behind it.
    nextPosition: v.optional(v.number()),
    lease: v.optional(lease),
    page: v.optional(page),
    user: v.optional(v.string()),
    // Absent where it is the default one, and of all that is older than any other.
    assistant: v.optional(v.string()),
    // What a list leads with. Older conversations have no count, and no question until they go on.
    lastQuestion: v.optional(v.string()),
    messageCount: v.optional(v.number()),
    // How many of its messages bear each mark, and whether any does: the list's filters.
    tally: v.optional(tally),
    hasUp: v.optional(v.boolean()),
    hasDown: v.optional(v.boolean()),
    hasPartial: v.optional(v.boolean()),
    hasError: v.optional(v.boolean()),
    // Absent on the original's conversations until the counters know them.
    counted: v.optional(v.boolean()),
    // The last UTC day on which the session asked something.
    seenDay: v.optional(v.string()),
    // Absent on the original's until the figures know them; how far that went for a long one.
    figured: v.optional(v.boolean()),
    figuring: v.optional(v.object({ creationTime: v.number(), day: v.string() })),
    // Who answers: absent where it is the assistant, as is what is of a stretch of people.
    state: v.optional(conversationState),
    // Since a person was asked for, until the first of their words.
    waitingSince: v.optional(v.number()),
    unread: v.optional(v.number()),
    contact: v.optional(contact),
    lastEvent: v.optional(v.number()),
    seenEvent: v.optional(v.number()),
    // The call that changed the state last: its repetition is told the same.
    changer: v.optional(v.string()),
  })
    .index("by_session_id", ["sessionId"])
    .index("by_updated_at", ["updatedAt"])
    .index("by_user_updated_at", ["user", "updatedAt"])
    .index("by_has_up_updated_at", ["hasUp", "updatedAt"])
    .index("by_has_down_updated_at", ["hasDown", "updatedAt"])
    .index("by_has_partial_updated_at", ["hasPartial", "updatedAt"])
    .index("by_has_error_updated_at", ["hasError", "updatedAt"])
    .index("by_assistant_updated_at", ["assistant", "updatedAt"])
    .index("by_assistant_has_up_updated_at", ["assistant", "hasUp", "updatedAt"])
    .index("by_assistant_has_down_updated_at", ["assistant", "hasDown", "updatedAt"])
    .index("by_assistant_has_partial_updated_at", ["assistant", "hasPartial", "updatedAt"])
    .index("by_assistant_has_error_updated_at", ["assistant", "hasError", "updatedAt"])
    .index("by_user_assistant_updated_at", ["user", "assistant", "updatedAt"])
    .index("by_state_waiting_since", ["state", "waitingSince"])
    .index("by_state_updated_at", ["state", "updatedAt"])
    .index("by_assistant_state_waiting_since", ["assistant", "state", "waitingSince"])
    .index("by_assistant_state_updated_at", ["assistant", "state", "updatedAt"])
    .index("by_counted", ["counted"])
    .index("by_figured", ["figured"]),

  messages: defineTable({
    ...messageFields,
    conversationId: v.id("conversations"),
    // Absent on the original's messages, which therefore stand before all others.
    position: v.optional(v.number()),
    // On a question: the attempt that was begun last, and the one that ended last.
    attempt: v.optional(v.number()),
    finished: v.optional(v.number()),
    // Whose assistant's, on an answer that has a gap, or sources: for the indexes of these.
    gapOf: v.optional(v.string()),
    sourcesOf: v.optional(v.string()),
    // On an operator's words, and events: a session's are counted from 1.
    n: v.optional(v.number()),
    // By this an operator's words are known when they are said again.
    saidKey: v.optional(v.string()),
    // On a question: the attempt that ran when a person took over.
    taken: v.optional(v.number()),
  })
    .index("by_conversation_id", ["conversationId"])
    .index("by_conversation_id_created_at", ["conversationId", "createdAt"])
    .index("by_conversation_id_position", ["conversationId", "position"])
    .index("by_conversation_id_turn_id", ["conversationId", "turnId"])
    .index("by_conversation_id_rating", ["conversationId", "feedback.rating"])
    .index("by_conversation_id_status", ["conversationId", "status"])
    .index("by_conversation_id_n", ["conversationId", "n"])
    .index("by_conversation_id_said_key", ["conversationId", "saidKey"])
    .index("by_turn_id", ["turnId"])
    .index("by_request_id", ["requestId"])
    .index("by_gap_of_created_at", ["gapOf", "createdAt"])
    .index("by_sources_of_created_at", ["sourcesOf", "createdAt"])
    .searchIndex("search_content", { searchField: "content" }),

  // Of a session without a conversation: whose it will be, or that it was deleted.
  sessions: defineTable({
    sessionId: v.string(),
    deleted: v.boolean(),
    user: v.optional(v.string()),
    changedAt: v.number(),
  })
    .index("by_session_id", ["sessionId"])
    .index("by_changed_at", ["changedAt"]),

  // The owner's switches that are thrown: a handful of names, made by the server.
  switches: defineTable({ name: v.string() }).index("by_name", ["name"]),

  // Signed tokens that are used up before their time: sign-ins that were ended.
  revocations: defineTable({ tokenId: v.string(), revokedAt: v.number() })
    .index("by_token_id", ["tokenId"])
    .index("by_revoked_at", ["revokedAt"]),

  // What one process of many does: who does it now, and when it was done last.
  jobs: defineTable({
    name: v.string(),
    lease: v.optional(v.object({ holder: v.string(), until: v.number() })),
    doneAt: v.optional(v.number()),
  }).index("by_name", ["name"]),

  // What assistants know of their owners' pages, by the assistant's name, the default one as well.
  // The sections lie apart, so that a list reads none of them.
  documents: defineTable({
    ...documentFields,
    assistant: v.string(),
    // That of the write that changed the content last.
    version: v.number(),
    changedAt: v.number(),
    isForgotten: v.boolean(),
    sectionsId: v.optional(v.id("sections")),
  })
    .index("by_assistant_key", ["assistant", "key"])
    .index("by_assistant_version", ["assistant", "version"])
    .index("by_assistant_is_forgotten_key", ["assistant", "isForgotten", "key"])
    .index("by_is_forgotten_changed_at", ["isForgotten", "changedAt"]),
  sections: defineTable({ sections: v.bytes() }),
  knowledge: defineTable({
    assistant: v.string(),
    version: v.number(),
    hasDocuments: v.boolean(),
  }).index("by_assistant", ["assistant"]),

  // How learning goes, and whether somebody asked it to stop since it said so last.
  learning: defineTable({
    assistant: v.string(),
    isCancelled: v.boolean(),
    report: v.optional(v.string()),
    // The call that put it, and what it was answered: its repetition is told the same.
    reporter: v.optional(v.string()),
    goesOn: v.optional(v.boolean()),
  }).index("by_assistant", ["assistant"]),

  // The outbox: what has to be told outside, and what was. The assistant is named, the default
  // one as well.
  notices: defineTable({
    ...noticeFields,
    type: noticeType,
    createdAt: v.number(),
    assistant: v.string(),
    conversationId: v.optional(v.id("conversations")),
    messageId: v.optional(v.string()),
    key: v.optional(v.string()),
    dueAt: v.number(),
    isOver: v.boolean(),
    // `call` names the claim: its repetition is told the same.
    lease: v.optional(v.object({ holder: v.string(), call: v.string(), until: v.number() })),
  })
    .index("by_is_over_due_at", ["isOver", "dueAt"])
    .index("by_created_at", ["createdAt"])
    .index("by_key", ["key"])
    .index("by_conversation_id", ["conversationId"]),

  // A count kept in shards, so that no two turns must write the same document.
  counters: defineTable({
    name: v.string(),
    shard: v.number(),
    value: v.number(),
  }).index("by_name_shard", ["name", "shard"]),

  // The figures of a day or hour, in shards for the same reason.
  figures: defineTable({
    span: v.union(v.literal("day"), v.literal("hour")),
    period: v.string(),
    shard: v.number(),
    counts,
    // Absent as with conversations.
    assistant: v.optional(v.string()),
  })
    .index("by_span_period_shard", ["span", "period", "shard"])
    .index("by_assistant_span_period_shard", ["assistant", "span", "period", "shard"]),
});
