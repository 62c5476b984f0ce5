/** The first half of a turn: the question is stored, and the session is leased. */
import type { Infer } from "convex/values";

import type { Doc, Id } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { findConversation, openConversation } from "./conversations.js";
import { addCounts, type Counts, dayOf } from "./figures.js";
import { Marks } from "./marks.js";
import { oneMessageMore, readCited, readHistory, toMessage } from "./messages.js";
import { countOriginal } from "./originals.js";
import { preview } from "./previews.js";
import { isDeleted, takeUser } from "./sessions.js";
import {
  contradiction,
  findAnswer,
  findQuestion,
  POSITIONS_A_TURN,
  questionPosition,
} from "./turns.js";
import type { beginning, question as questionValidator } from "./validators.js";

// app/domain/conversation.py says the same.
const LEASE_EXPIRED = "lease_expired";

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
  if (refused !== null) {
    return { outcome: refused };
  }
  const lease = found?.lease;
  if (found !== null && asked !== null) {
    const turn = () => begun(ctx, begin, found._id, asked);
    if (lease?.holder === begin.holder && lease.turnId === question.turnId) {
      return await turn();
    }
    const answer = question.regenerate ? null : await completeAnswer(ctx, found, asked);
    if (answer !== null) {
      return { ...(await turn()), outcome: "answered", answer: toMessage(answer) };
    }
  }
  if (lease !== undefined && lease.until > now) {
    return { outcome: "busy", retryAfterMs: lease.until - now, turnId: lease.turnId };
  }
  const conversation = found ?? (await open(ctx, question, now));
  const current = await takeLease(ctx, begin, conversation, asked, now);
  return await begun(ctx, begin, conversation._id, current);
}

async function open(
  ctx: MutationCtx,
  { sessionId, assistant }: Question,
  now: number,
): Promise<Conversation> {
  const session = { sessionId, assistant, ...(await takeUser(ctx, sessionId)) };
  return await openConversation(ctx, session, now);
}

async function begun(
  ctx: QueryCtx,
  { historyLimit }: Begin,
  conversationId: Id<"conversations">,
  asked: Asked,
) {
  const position = questionPosition(asked);
  const said = await readHistory(ctx, conversationId, position, historyLimit);
  // A question that was refused would be refused with each that follows.
  const history = said.filter(
    (each) => each.position === position || each.errorCode !== "model_refused",
  );
  return {
    outcome: "begun" as const,
    conversationId,
    attempt: asked.attempt ?? 1,
    prompt: history.map(({ role, content, turnId }) => ({ role, content, turnId })),
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

async function endExpiredTurn(
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

async function storeQuestion(
  ctx: MutationCtx,
  conversation: Conversation,
  { turnId, content }: Question,
  now: number,
): Promise<Asked> {
  const place = { position: conversation.nextPosition ?? 0, attempt: 1 };
  await ctx.db.insert("messages", {
    conversationId: conversation._id,
    role: "user",
    content,
    createdAt: now,
    turnId,
    ...place,
  });
  return place;
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
