/** The first half of a turn: the question is stored, and the session is leased. */
import type { Infer } from "convex/values";

import type { Doc, Id } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { findConversation, openConversation } from "./conversations.js";
import { addCounts, type Counts, dayOf } from "./figures.js";
import { givenBackAt } from "./events.js";
import { endExpiredTurn } from "./leases.js";
import { Marks } from "./marks.js";
import { oneMessageMore, readCited, readHistory, toMessage } from "./messages.js";
import { putNotice } from "./notices.js";
import { countOriginal } from "./originals.js";
import { preview } from "./previews.js";
import { isDeleted, takeUser } from "./sessions.js";
import {
  answerPosition,
  contradiction,
  findAnswer,
  findQuestion,
  hasSaidMore,
  POSITIONS_A_TURN,
  questionPosition,
} from "./turns.js";
import type { beginning, question as questionValidator } from "./validators.js";

const COME_AGAIN_MS = 30_000;

type Conversation = Doc<"conversations">;
type Message = Doc<"messages">;
type Asked = Pick<Message, "position" | "attempt">;
type Question = Infer<typeof questionValidator>;

export interface Begin {
  question: Question;
  historyLimit: number;
  leaseMs: number;
  /** Names this call: repeated because its answer was lost, it begins nothing new. */
  holder: string;
  /** Whether there is a notice of what is opened; a server of before version 6 says nothing. */
  notesStarts?: boolean;
}

export async function beginTurn(
  ctx: MutationCtx,
  begin: Begin,
): Promise<Infer<typeof beginning>> {
  const { question } = begin;
  const now = Date.now();
  const found = await findConversation(ctx, question.sessionId);
  if (found === null && (await isDeleted(ctx, question.sessionId))) {
    return { outcome: "deleted" };
  }
  const asked = found && (await findQuestion(ctx, found._id, question.turnId));
  const refused = contradiction(question, found, asked);
  if (refused !== null && !(refused === "notLast" && (await isLast(ctx, found, asked)))) {
    return { outcome: refused };
  }
  const lease = found?.lease;
  if (found !== null && asked !== null) {
    const turn = () => begun(ctx, begin, found, asked);
    if (lease?.holder === begin.holder && lease.turnId === question.turnId) {
      return await turn();
    }
    const answer = question.regenerate ? null : await completeAnswer(ctx, found, asked);
    if (answer !== null) {
      return { ...(await turn()), outcome: "answered", answer: toMessage(answer) };
    }
  }
  if (found?.state !== undefined && found.state !== "bot") {
    return await leaveToPeople(ctx, begin, found, found.state, asked, now);
  }
  if (lease !== undefined && lease.until > now) {
    return { outcome: "busy", retryAfterMs: lease.until - now, turnId: lease.turnId };
  }
  const conversation = found ?? (await open(ctx, begin, now));
  const current = await takeLease(ctx, begin, conversation, asked, now);
  return await begun(ctx, begin, conversation, current);
}

/** Only what a visitor or an operator said stands behind a turn; events do not count. */
async function isLast(
  ctx: QueryCtx,
  found: Conversation | null,
  asked: Message | null,
): Promise<boolean> {
  return found !== null && asked !== null && !(await hasSaidMore(ctx, found, answerPosition(asked)));
}

/** Store a question that a person is to answer, once; nobody takes a lease. */
async function leaveToPeople(
  ctx: MutationCtx,
  { question, notesStarts }: Begin,
  conversation: Conversation,
  state: NonNullable<Conversation["state"]>,
  asked: Message | null,
  now: number,
): Promise<Infer<typeof beginning>> {
  if (notesStarts === undefined) {
    // A server that knows of no people would ask the model: it is told to come again.
    return { outcome: "busy", retryAfterMs: COME_AGAIN_MS, turnId: question.turnId };
  }
  if (asked === null) {
    const { messageId } = await storeQuestion(ctx, conversation, question, now, 0);
    await ctx.db.patch("conversations", conversation._id, {
      ...lastQuestion(conversation, question, now),
      ...oneMessageMore(conversation),
      ...(await countOriginal(ctx, conversation)),
      ...(await countVisit(ctx, conversation, now)),
      unread: (conversation.unread ?? 0) + 1,
    });
    await putNotice(ctx, "message.created", conversation, now, messageId);
  }
  return { outcome: "people", conversationId: conversation._id, state };
}

async function open(
  ctx: MutationCtx,
  { question: { sessionId, assistant }, notesStarts }: Begin,
  now: number,
): Promise<Conversation> {
  const session = { sessionId, assistant, ...(await takeUser(ctx, sessionId)) };
  return await openConversation(ctx, session, now, notesStarts === true);
}

async function begun(
  ctx: QueryCtx,
  { historyLimit }: Begin,
  conversation: Conversation,
  asked: Asked,
) {
  const position = questionPosition(asked);
  const conversationId = conversation._id;
  const behind = await givenBackAt(ctx, conversation, position);
  const stretch = { position, behind, limit: historyLimit };
  const hasEvents = conversation.lastEvent !== undefined;
  const said = await readHistory(ctx, conversationId, { ...stretch, hasEvents });
  // A question that was refused would be refused with each that follows.
  const history = said.filter(
    (each) => each.position === position || each.errorCode !== "model_refused",
  );
  return {
    outcome: "begun" as const,
    conversationId,
    attempt: asked.attempt ?? 1,
    prompt: history.map(({ role, content, turnId }) => ({
      role: role === "operator" ? ("assistant" as const) : role,
      content,
      turnId,
    })),
    cited: await readCited(ctx, said, conversationId, position),
  };
}

async function completeAnswer(
  ctx: QueryCtx,
  conversation: Conversation,
  asked: Message,
): Promise<Message | null> {
  if (conversation.lease?.turnId === asked.turnId || asked.status !== undefined) {
    return null;
  }
  const answer = await findAnswer(ctx, conversation._id, asked);
  return answer?.status === "complete" ? answer : null;
}

async function takeLease(
  ctx: MutationCtx,
  { question, leaseMs, holder }: Begin,
  conversation: Conversation,
  known: Message | null,
  now: number,
): Promise<Asked> {
  const marks = new Marks(conversation.tally);
  const ended = await endExpiredTurn(ctx, conversation, marks);
  if (ended !== null) {
    await addCounts(ctx, conversation.assistant, { turns: 1, errors: 1 }, now);
  }
  // The turn that was just ended may be the very one that begins anew.
  const asked = ended !== null && ended._id === known?._id ? ended : known;
  const current =
    asked === null
      ? await storeQuestion(ctx, conversation, question, now)
      : await beginNextAttempt(ctx, asked, marks);
  await ctx.db.patch("conversations", conversation._id, {
    lease: { turnId: question.turnId, attempt: current.attempt ?? 1, holder, until: now + leaseMs },
    ...marks.fields(),
    ...(asked === null
      ? { ...lastQuestion(conversation, question, now), ...oneMessageMore(conversation) }
      : {}),
    ...(await countOriginal(ctx, conversation)),
    ...(await countVisit(ctx, conversation, now)),
  });
  return current;
}

async function storeQuestion(
  ctx: MutationCtx,
  conversation: Conversation,
  { turnId, content }: Question,
  now: number,
  attempt = 1,
): Promise<Asked & { messageId: Id<"messages"> }> {
  const place = { position: conversation.nextPosition ?? 0, attempt };
  const messageId = await ctx.db.insert("messages", {
    conversationId: conversation._id,
    role: "user",
    content,
    createdAt: now,
    turnId,
    ...place,
  });
  return { ...place, messageId };
}

async function beginNextAttempt(ctx: MutationCtx, asked: Message, marks: Marks): Promise<Asked> {
  const next = {
    attempt: (asked.attempt ?? 1) + 1,
    status: undefined,
    errorCode: undefined,
    requestId: undefined,
  };
  marks.replace(asked, { ...asked, ...next });
  await ctx.db.patch("messages", asked._id, next);
  return { ...asked, ...next };
}

/** Count a session that asks for the first time today; returns what to write. */
async function countVisit(ctx: MutationCtx, conversation: Conversation, now: number) {
  const { seenDay, figured, assistant } = conversation;
  const today = dayOf(now);
  if (seenDay !== today) {
    const isNew = seenDay === undefined && figured === true;
    const counts: Counts = isNew ? { visitors: 1, conversations: 1 } : { visitors: 1 };
    await addCounts(ctx, assistant, counts, now);
  }
  return { seenDay: today };
}

function lastQuestion(conversation: Conversation, question: Question, now: number) {
  return {
    nextPosition: (conversation.nextPosition ?? 0) + POSITIONS_A_TURN,
    updatedAt: now,
    lastMessage: preview(question.content),
    lastQuestion: preview(question.content),
    ...(question.page === undefined ? {} : { page: question.page }),
  };
}
