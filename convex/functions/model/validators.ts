/** What may stand in a document, an argument or a result. */
import { v } from "convex/values";

export const role = v.union(
  v.literal("user"),
  v.literal("assistant"),
  v.literal("operator"),
  v.literal("system"),
);
export const status = v.union(v.literal("complete"), v.literal("partial"), v.literal("error"));
export const rating = v.union(v.literal("up"), v.literal("down"));

export const feedback = v.object({ rating, comment: v.optional(v.string()) });
export const page = v.object({ url: v.string(), title: v.optional(v.string()) });
export const usage = v.object({ promptTokens: v.number(), completionTokens: v.number() });

/** Who answers now: `holder` names one call, so that its repetition is known. */
export const lease = v.object({
  turnId: v.string(),
  attempt: v.number(),
  holder: v.string(),
  until: v.number(),
});

export const tally = v.object({
  up: v.number(),
  down: v.number(),
  complete: v.number(),
  partial: v.number(),
  error: v.number(),
});

/** What to add to a period's figures, by name. */
export const counts = v.record(v.string(), v.number());

/** A UTC day or hour, by the beginning of its ISO form. */
export const figures = v.object({
  period: v.string(),
  counts,
  /** On the last of a part: the period from which to read on. */
  next: v.optional(v.string()),
});

const source = v.object({ n: v.number(), title: v.string(), url: v.optional(v.string()) });

export const gapReason = v.union(
  v.literal("nothing_found"),
  v.literal("not_cited"),
  v.literal("unknown"),
  v.literal("disliked"),
);

/** What is known of an answer: as it is told, stored and read. */
const answerFields = {
  model: v.optional(v.string()),
  usage: v.optional(usage),
  latencyMs: v.optional(v.number()),
  firstTokenMs: v.optional(v.number()),
  finishReason: v.optional(v.string()),
  // Beside the status: what the failure was called, and whose request it was.
  errorCode: v.optional(v.string()),
  requestId: v.optional(v.string()),
  // What it cites, who gave it where no model did, and why the owner should look at it.
  sources: v.optional(v.array(source)),
  answeredBy: v.optional(v.union(v.literal("owner"), v.literal("unknown"))),
  gap: v.optional(gapReason),
};

/** What a system's message tells of. */
export const eventKind = v.union(
  v.literal("asked"),
  v.literal("taken"),
  v.literal("released"),
  v.literal("closed"),
  v.literal("contact"),
);

/** What is stored of a message, and read. */
export const messageFields = {
  role,
  content: v.string(),
  createdAt: v.number(),
  turnId: v.optional(v.string()),
  status: v.optional(status),
  feedback: v.optional(feedback),
  ...answerFields,
  // The operator who spoke, or acted.
  author: v.optional(v.string()),
  event: v.optional(eventKind),
};

/** A message as our server reads it. */
export const message = v.object({ id: v.string(), ...messageFields });

export const mark = v.union(
  v.literal("up"),
  v.literal("down"),
  v.literal("partial"),
  v.literal("error"),
);

/** Where in a conversation a searched text stands; `cursor` leads to the page that shows it. */
export const match = v.object({
  messageId: v.string(),
  role,
  text: v.string(),
  cursor: v.union(v.string(), v.null()),
});

/** Who answers: the assistant, nobody yet, a person. */
export const conversationState = v.union(
  v.literal("bot"),
  v.literal("waiting"),
  v.literal("human"),
);

export const step = v.union(
  v.literal("ask"),
  v.literal("take"),
  v.literal("release"),
  v.literal("close"),
);

/** Where a visitor may be answered, and since when they agree to it. */
export const contact = v.object({
  email: v.string(),
  name: v.optional(v.string()),
  consentedAt: v.number(),
});

/** A contact as our server tells it: without a time, it is now. */
export const newContact = v.object({
  email: v.string(),
  name: v.optional(v.string()),
  consentedAt: v.optional(v.number()),
});

/** A conversation as our server reads it. */
export const conversation = v.object({
  id: v.string(),
  sessionId: v.string(),
  createdAt: v.number(),
  updatedAt: v.number(),
  lastMessage: v.optional(v.string()),
  page: v.optional(page),
  user: v.optional(v.string()),
  lastQuestion: v.optional(v.string()),
  messageCount: v.optional(v.number()),
  marks: v.array(mark),
  match: v.optional(match),
  /** Absent where it is the default one. */
  assistant: v.optional(v.string()),
  state: conversationState,
  waitingSince: v.optional(v.number()),
  unread: v.number(),
  contact: v.optional(contact),
  lastEvent: v.number(),
  seenEvent: v.number(),
});

/** A question and its answer, of which one bears a mark. */
export const markedTurn = v.object({
  conversation,
  question: message,
  answer: v.union(message, v.null()),
});

export const thread = v.object({
  conversation,
  messages: v.array(message),
  nextCursor: v.union(v.string(), v.null()),
  runningTurnId: v.optional(v.string()),
});

export const question = v.object({
  sessionId: v.string(),
  turnId: v.string(),
  content: v.string(),
  regenerate: v.boolean(),
  page: v.optional(page),
  /** Absent where it is the default one. */
  assistant: v.optional(v.string()),
});

export const answer = v.object({
  content: v.string(),
  status,
  ...answerFields,
});

const prompt = v.array(
  v.object({ role, content: v.string(), turnId: v.optional(v.string()) }),
);

/** How `turns:begin` ends; only the first took the lease. */
export const beginning = v.union(
  v.object({
    outcome: v.literal("begun"),
    conversationId: v.string(),
    attempt: v.number(),
    prompt,
    cited: v.array(v.string()),
  }),
  v.object({
    outcome: v.literal("answered"),
    conversationId: v.string(),
    attempt: v.number(),
    prompt,
    cited: v.array(v.string()),
    answer: message,
  }),
  /** A person is to answer: the question is stored. */
  v.object({
    outcome: v.literal("people"),
    conversationId: v.string(),
    state: conversationState,
  }),
  v.object({ outcome: v.literal("busy"), retryAfterMs: v.number(), turnId: v.string() }),
  v.object({ outcome: v.literal("mismatch") }),
  v.object({ outcome: v.literal("notLast") }),
  v.object({ outcome: v.literal("otherAssistant") }),
  v.object({ outcome: v.literal("deleted") }),
);

/** How `turns:finish` ends: `null` where the attempt was overtaken. */
export const finished = v.union(v.object({ messageId: v.optional(v.string()) }), v.null());

/** Who acts where a person answers: a visitor by the session, or an operator by name. */
export const actor = v.union(
  v.object({
    sessionId: v.string(),
    /** Absent where it is the default one. */
    assistant: v.optional(v.string()),
    pageUrl: v.optional(v.string()),
  }),
  v.object({ conversationId: v.string(), name: v.string() }),
);

/** How `people:handOver` ends. */
export const handedOver = v.union(
  v.object({
    outcome: v.literal("done"),
    conversationId: v.string(),
    sessionId: v.string(),
    assistant: v.optional(v.string()),
    state: conversationState,
    isNew: v.boolean(),
  }),
  v.object({ outcome: v.literal("none") }),
  v.object({ outcome: v.literal("deleted") }),
  v.object({ outcome: v.literal("otherAssistant") }),
);

/** How `people:setContact` ends. */
export const contactSet = v.union(
  v.literal("set"),
  v.literal("deleted"),
  v.literal("otherAssistant"),
);

/** Events of a session behind some number, and the number to go on from. */
export const events = v.object({
  state: conversationState,
  events: v.array(v.object({ n: v.number(), message })),
  next: v.number(),
});

export const noticeType = v.union(
  v.literal("conversation.started"),
  v.literal("conversation.waiting"),
  v.literal("conversation.taken"),
  v.literal("conversation.closed"),
  v.literal("message.created"),
  v.literal("contact.created"),
  v.literal("feedback.created"),
  v.literal("budget.warning"),
  v.literal("budget.exhausted"),
  v.literal("model.failing"),
  v.literal("test"),
);

/** What came of the attempts to tell a notice. */
export const noticeFields = {
  pending: v.optional(v.array(v.string())),
  attempts: v.number(),
  problem: v.optional(v.string()),
  isGivenUp: v.boolean(),
};

/** A notice as our server reads it. */
export const notice = v.object({
  ...noticeFields,
  id: v.string(),
  type: noticeType,
  createdAt: v.number(),
  assistant: v.string(),
  conversationId: v.optional(v.string()),
  messageId: v.optional(v.string()),
  dueAt: v.number(),
});

/** What `maintenance:purge` did. */
export const purged = v.object({ conversations: v.number(), hasMore: v.boolean() });

/** How `sessions:identify` ends. */
export const userSet = v.union(v.literal("set"), v.literal("mismatch"), v.literal("deleted"));

/** Texts that must all stand in one message; or, as `id`, the name of something. */
export const search = v.object({ terms: v.array(v.string()), id: v.optional(v.string()) });

export const filter = v.object({
  search: v.optional(search),
  /** What a server for functions of version 2 searches for. */
  text: v.optional(v.string()),
  since: v.optional(v.number()),
  until: v.optional(v.number()),
  feedback: v.optional(rating),
  status: v.optional(status),
  page: v.optional(v.string()),
  user: v.optional(v.string()),
  /** By its name, the default one as well. */
  assistant: v.optional(v.string()),
  state: v.optional(conversationState),
});

export const conversationPage = v.object({
  conversations: v.array(conversation),
  total: v.union(v.number(), v.null()),
  found: v.union(v.number(), v.null()),
  nextCursor: v.union(v.string(), v.null()),
});

/** What every turn depends on. */
export const state = v.object({
  switches: v.array(v.string()),
  knowledge: v.array(v.object({ assistant: v.string(), version: v.number() })),
});

/** What is known of a document, beside its sections; app/domain/knowledge.py tells what it means. */
export const documentFields = {
  key: v.string(),
  kind: v.union(
    v.literal("page"),
    v.literal("file"),
    v.literal("text"),
    v.literal("correction"),
  ),
  title: v.string(),
  url: v.optional(v.string()),
  language: v.optional(v.string()),
  isPinned: v.boolean(),
  hash: v.string(),
  learntAt: v.number(),
  problem: v.optional(v.string()),
  missing: v.number(),
  // Of title and sections, as they are told: at least what they take here.
  bytes: v.number(),
};

/** A document as it is put: its sections are the server's, compressed. */
export const newDocument = v.object({ ...documentFields, sections: v.bytes() });

/** A document as our server reads it; a tombstone has no sections, nor has one of a list. */
export const document = v.object({
  ...documentFields,
  version: v.number(),
  changedAt: v.number(),
  isForgotten: v.boolean(),
  sections: v.optional(v.bytes()),
});

export const documentPage = v.object({
  documents: v.array(document),
  version: v.number(),
  nextCursor: v.union(v.string(), v.null()),
});

/** An answer that bears the mark of a gap, with its question. */
export const gap = v.object({
  messageId: v.string(),
  conversationId: v.string(),
  question: v.string(),
  answer: v.string(),
  reason: gapReason,
  createdAt: v.number(),
  pageUrl: v.optional(v.string()),
});

/** What a batch of answers cites: URLs, or titles where there is none. */
export const citations = v.object({
  names: v.array(v.string()),
  answers: v.number(),
  nextCursor: v.union(v.string(), v.null()),
});
