/** Who answers: the steps from one state to the next, and what operators say. */
import type { Infer } from "convex/values";

import type { Doc } from "../_generated/dataModel.js";
import type { MutationCtx } from "../_generated/server.js";
import { findConversation, openConversation, readConversation } from "./conversations.js";
import { addEvent, addWords } from "./events.js";
import { addCounts, type Counts } from "./figures.js";
import { takeTurn } from "./leases.js";
import { toMessage } from "./messages.js";
import { putNotice } from "./notices.js";
import { countOriginal } from "./originals.js";
import { isDeleted, takeUser } from "./sessions.js";
import type {
  actor,
  contactSet,
  conversationState,
  eventKind,
  handedOver,
  message as messageValidator,
  newContact,
  noticeType,
  step as stepValidator,
} from "./validators.js";

type Conversation = Doc<"conversations">;
type State = Infer<typeof conversationState>;
type Step = Infer<typeof stepValidator>;
type Actor = Infer<typeof actor>;
type Visitor = Extract<Actor, { sessionId: string }>;

/** What a step does: from these states to that one, and what tells of it. */
interface Change {
  before: readonly State[];
  after: State;
  event: Infer<typeof eventKind>;
  notice?: Infer<typeof noticeType>;
}

const CHANGES: Record<Step, Change> = {
  ask: { before: ["bot"], after: "waiting", event: "asked", notice: "conversation.waiting" },
  take: { before: ["bot", "waiting"], after: "human", event: "taken", notice: "conversation.taken" },
  release: { before: ["waiting", "human"], after: "bot", event: "released" },
  close: {
    before: ["waiting", "human"],
    after: "bot",
    event: "closed",
    notice: "conversation.closed",
  },
};

export interface HandOver {
  by: Actor;
  step: Step;
  notesStarts: boolean;
  /** Names this call: repeated because its answer was lost, it is told the same. */
  call: string;
}

export async function handOver(
  ctx: MutationCtx,
  { by, step, notesStarts, call }: HandOver,
): Promise<Infer<typeof handedOver>> {
  const now = Date.now();
  const found =
    "sessionId" in by
      ? await findVisitors(ctx, by, step, notesStarts, now)
      : ((await readConversation(ctx, by.conversationId)) ?? "none");
  if (typeof found === "string") {
    return { outcome: found };
  }
  const { _id, sessionId, assistant, state = "bot", changer } = found;
  const change = CHANGES[step];
  const isNew = change.before.includes(state);
  if (isNew) {
    const author = "name" in by ? by.name : undefined;
    const fields = await changed(ctx, found, change, author, now);
    await ctx.db.patch("conversations", _id, { ...fields, changer: call });
  }
  return {
    ...{ outcome: "done", conversationId: _id, sessionId, assistant },
    state: isNew ? change.after : state,
    isNew: isNew || changer === call,
  };
}

export interface Words {
  conversationId: string;
  name: string;
  text: string;
  key: string;
}

/** Store an operator's words, once for their key; `null` where there is no conversation. */
export async function say(
  ctx: MutationCtx,
  { conversationId, name, text, key }: Words,
): Promise<Infer<typeof messageValidator> | null> {
  const now = Date.now();
  const found = await readConversation(ctx, conversationId);
  if (found === null) {
    return null;
  }
  const said = await ctx.db
    .query("messages")
    .withIndex("by_conversation_id_said_key", (q) =>
      q.eq("conversationId", found._id).eq("saidKey", key),
    )
    .first();
  if (said !== null) {
    return toMessage(said);
  }
  const taken = found.state === "human" ? {} : await changed(ctx, found, CHANGES.take, name, now);
  const conversation = { ...found, ...taken };
  const waited = conversation.waitingSince;
  const counts: Counts = {
    operator_answers: 1,
    ...(waited === undefined ? {} : { waiting_ms: Math.max(0, now - waited) }),
  };
  await addCounts(ctx, found.assistant, counts, now);
  const words = { text, author: name, key };
  const { messageId, fields } = await addWords(ctx, conversation, words, now);
  await ctx.db.patch("conversations", found._id, { ...taken, ...fields });
  await putNotice(ctx, "message.created", found, now, messageId);
  const stored = await ctx.db.get("messages", messageId);
  return stored && toMessage(stored);
}

export interface SetContact {
  sessionId: string;
  assistant?: string;
  contact: Infer<typeof newContact>;
  notesStarts: boolean;
}

/** Keep where a visitor may be answered; the same address and name again change nothing. */
export async function setContact(
  ctx: MutationCtx,
  { contact, notesStarts, ...session }: SetContact,
): Promise<Infer<typeof contactSet>> {
  const now = Date.now();
  const found = await findOrOpen(ctx, session, notesStarts, now);
  if (typeof found === "string") {
    return found;
  }
  const { email, name, consentedAt = now } = contact;
  if (found.contact?.email === email && found.contact.name === name) {
    return "set";
  }
  const place = await addEvent(ctx, found, "contact", undefined, now);
  await ctx.db.patch("conversations", found._id, {
    ...place,
    ...(await countOriginal(ctx, found)),
    contact: { email, consentedAt, ...(name === undefined ? {} : { name }) },
  });
  await putNotice(ctx, "contact.created", found, now);
  return "set";
}

async function findVisitors(
  ctx: MutationCtx,
  { pageUrl, ...session }: Visitor,
  step: Step,
  notesStarts: boolean,
  now: number,
): Promise<Conversation | "none" | "deleted" | "otherAssistant"> {
  if (step !== "ask" && (await findConversation(ctx, session.sessionId)) === null) {
    return (await isDeleted(ctx, session.sessionId)) ? "deleted" : "none";
  }
  const found = await findOrOpen(ctx, session, notesStarts, now);
  if (typeof found === "string" || pageUrl === undefined || found.page?.url === pageUrl) {
    return found;
  }
  const page = { url: pageUrl };
  await ctx.db.patch("conversations", found._id, { page });
  return { ...found, page };
}

async function findOrOpen(
  ctx: MutationCtx,
  { sessionId, assistant }: { sessionId: string; assistant?: string },
  notesStarts: boolean,
  now: number,
): Promise<Conversation | "deleted" | "otherAssistant"> {
  const found = await findConversation(ctx, sessionId);
  if (found !== null) {
    return found.assistant === assistant ? found : "otherAssistant";
  }
  if (await isDeleted(ctx, sessionId)) {
    return "deleted";
  }
  const session = { sessionId, assistant, ...(await takeUser(ctx, sessionId)) };
  return await openConversation(ctx, session, now, notesStarts);
}

/** Change who answers; returns what to write of the conversation. */
async function changed(
  ctx: MutationCtx,
  conversation: Conversation,
  { after, event, notice }: Change,
  author: string | undefined,
  now: number,
): Promise<Partial<Conversation>> {
  const { assistant, state = "bot", waitingSince } = conversation;
  if (state === "bot") {
    await addCounts(ctx, assistant, { handoffs: 1 }, now);
  }
  const place = await addEvent(ctx, conversation, event, author, now);
  if (notice !== undefined) {
    await putNotice(ctx, notice, conversation, now);
  }
  return {
    ...place,
    ...(after === "human" ? await takeTurn(ctx, conversation, now) : {}),
    ...(await countOriginal(ctx, conversation)),
    state: after === "bot" ? undefined : after,
    waitingSince: { bot: undefined, waiting: now, human: waitingSince }[after],
    unread: undefined,
  };
}
