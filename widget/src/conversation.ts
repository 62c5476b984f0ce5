/** One visitor's conversation: what is asked, answered, kept and forgotten. It draws nothing. */

import { ask, follow, forget, randomId, request } from "./client";
import { options, shell } from "./shell";
import { PENDING, TICK, TOKEN, recall, remember } from "./storage";
import { apply, merge, toMessages, type Message, type Scene } from "./transcript";
import { toObject, type Json, type Problem, type TurnEvent } from "./wire";

const HISTORY = 100;
const POLL_MS = 1500;
const STOP_MS = 2000;
// What the server takes of a page's address and title.
const MAX_URL = 2048;
const MAX_TITLE = 300;

/** Who draws what happens. */
export interface Audience {
  changed(toEnd?: boolean): void;
  streamed(): void;
  answered(answer: Message): void;
  /** A question was not for the assistant: a person will see it. */
  handed(answer: Message): void;
  /** Stored messages are about to be shown: what they are drawn with should be there. */
  ready(messages: Message[]): Promise<unknown>;
  /** The stored conversation was read. */
  heard(history: Json): void;
}

export class Conversation {
  readonly scene: Scene = { messages: [] };
  readonly #audience: Audience;
  #abort = new AbortController();
  #poll?: ReturnType<typeof setTimeout>;
  #missed = false;
  /** Counts reads, turns and conversations; what was read before `#since` is out of date when it arrives. */
  #count = 0;
  #since = 0;
  /** The turn that was read again last: where that failed, its end is waited for. */
  #followed?: string;

  constructor(audience: Audience) {
    this.#audience = audience;
  }

  /** Take up a question that was on its way when the page was left. */
  resume(): void {
    const [turnId, content] = Object.values(toObject(recall(PENDING)!)) as string[];
    if (!turnId) return;
    this.scene.messages.push({ role: "user", content, createdAt: Date.now(), turnId });
    this.scene.trouble = { code: "unsent", until: 0, retry: this.again };
  }

  send = (content: string): Promise<void> => {
    shell.emit("message", { role: "user", content });
    return this.#run({ role: "user", content, createdAt: Date.now(), turnId: randomId() });
  };

  /** Ask the last question once more: as the same turn, or for another answer where it has a whole one. */
  again = (): void => {
    const { messages } = this.scene;
    const question = messages.findLast(({ role }) => role == "user");
    const last = messages.at(-1);
    if (question) void this.#run(question, last!.turnId == question.turnId && last!.status == "complete");
  };

  stop = (): void => {
    const { live } = this.scene;
    const mine = this.#abort;
    const leave = () => mine.abort();
    if (!live) return;
    live.reason = "stopped";
    live.sent = true;
    // The server ends the stream itself, with all that was said; where it cannot, leaving does.
    if (recall(TOKEN)) request(`turns/${live.turnId}/stop`).catch(leave);
    setTimeout(leave, recall(TOKEN) ? STOP_MS : 0);
  };

  /** Do again what failed. */
  retry = (): void => {
    const { trouble } = this.scene;
    this.scene.trouble = undefined;
    trouble?.retry();
    this.#audience.changed();
  };

  /** Vote; it is drawn at once, and taken back where the server did not hear it. */
  rate = async (message: Message, rating: string): Promise<void> => {
    const { feedback } = message;
    message.feedback = { rating };
    this.#audience.changed();
    await request(`messages/${message._id}/feedback`, "POST", { rating }).catch((thrown) => {
      message.feedback = feedback;
      this.fail(thrown, () => this.rate(message, rating));
    });
  };

  /** Read the conversation again: other tabs, pages and days have a part in it. */
  sync = async (): Promise<void> => {
    const { scene } = this;
    clearTimeout(this.#poll);
    this.#missed = !!scene.live;
    if (!recall(TOKEN) || scene.live) return;
    const read = ++this.#count;
    try {
      const found = await this.#read();
      const { messages, runningTurnId, nextCursor } = found;
      const history = toMessages(messages);
      await this.#audience.ready(history);
      if (read < this.#since) return this.sync();
      this.#since = read;
      const known = scene.messages.findIndex(({ _id }) => _id && _id == history[0]?._id);
      const older = known > 0 ? scene.messages.slice(0, known) : [];
      if (!older.length) scene.earlier = nextCursor as string | undefined;
      scene.messages = [...older, ...merge(scene.messages.slice(older.length), history)];
      this.#audience.heard(found);
      if (scene.messages.at(-1)?.status == "complete") scene.trouble = undefined;
      const running = scene.messages.findLast(({ role, turnId }) => role == "user" && turnId == runningTurnId);
      scene.busy = undefined;
      if (running?.turnId && this.#followed != running.turnId) return void this.#follow(running);
      scene.busy = !!runningTurnId;
      this.#audience.changed();
    } catch (thrown) {
      if (!scene.messages.length) this.fail(thrown, this.sync);
    }
    if (scene.busy) this.#poll = setTimeout(this.sync, POLL_MS);
  };

  /** Read what was said before the first message that is shown. */
  readEarlier = async (): Promise<void> => {
    const { scene } = this;
    const { earlier } = scene;
    try {
      const { messages, nextCursor } = await this.#read(earlier);
      if (scene.earlier != earlier) return;
      scene.messages = [...toMessages(messages), ...scene.messages];
      scene.earlier = nextCursor as string | undefined;
      this.#audience.changed();
    } catch (thrown) {
      this.fail(thrown, this.readEarlier);
    }
  };

  /** Forget what is shown; what is remembered and stored is another matter. */
  clear = (): void => {
    this.#since = ++this.#count;
    this.#abort.abort();
    clearTimeout(this.#poll);
    this.scene.messages = [];
    this.scene.live = this.scene.trouble = this.scene.busy = this.scene.earlier = undefined;
    this.#audience.changed();
  };

  /** Begin anew; the server keeps the old conversation. */
  reset = (): void => {
    this.stop();
    forget();
    this.clear();
  };

  erase = (): Promise<void> => request("session", "DELETE").then(this.reset, (thrown) => this.fail(thrown, this.erase));

  async #run(question: Message, regenerate?: boolean): Promise<void> {
    const { content: message, turnId = "" } = question;
    if (this.scene.busy) return;
    const page = this.#page();
    if (!question.sent) remember(PENDING, JSON.stringify({ id: turnId, message }));
    const answer = this.#begin(question);
    const failure = await this.#hear(answer, (hear) => ask({ message, turnId, regenerate, page }, this.#abort, hear));
    if (!this.#ends(answer)) return;
    if (!failure || answer.reason == "stopped") {
      this.#finish(answer);
      remember(TICK, randomId());
    } else if (question.sent && recall(TOKEN) && /^(model_interrupted|offline|unreachable)$/.test(failure.code) && !failure.text) await this.#rejoin(failure);
    else this.fail(failure, this.again);
    if (this.#missed) void this.sync();
  }

  // Another tab asked, or this one before it was reloaded: the words come here as well.
  async #follow(question: Message): Promise<void> {
    const { turnId = "" } = question;
    this.#followed = turnId;
    const answer = this.#begin(question);
    const failure = await this.#hear(answer, (hear) => follow(turnId, this.#abort, hear));
    if (!this.#ends(answer)) return;
    if (!failure) this.#finish(answer);
    // What came of it is in the store, sooner or later.
    if (failure || this.#missed) void this.sync();
  }

  // The connection was cut: the answer may be written on, or be stored by now.
  #rejoin = async (failure: Problem): Promise<void> => {
    const { scene } = this;
    this.#followed = undefined;
    await this.sync();
    if (scene.live || scene.busy || scene.messages.at(-1)?.status == "complete") return;
    this.fail(failure, failure.code == "offline" ? () => this.#rejoin(failure) : this.again);
  };

  #begin(question: Message): Message {
    const { scene } = this;
    const answer: Message = { role: "assistant", content: "", createdAt: Date.now(), turnId: question.turnId };
    this.#abort = new AbortController();
    this.#since = ++this.#count;
    scene.messages = [...scene.messages.filter(({ turnId }) => turnId != question.turnId), question, answer];
    scene.trouble = undefined;
    scene.busy = true;
    scene.live = answer;
    this.#audience.changed(true);
    return answer;
  }

  async #hear(answer: Message, listen: (hear: (event: TurnEvent) => void) => Promise<void>): Promise<Problem | undefined> {
    const { scene } = this;
    return listen((event) => {
      if (scene.live != answer) return;
      apply(scene, event);
      if (event.type == "start") this.#acknowledged();
      // Only a token's owner may rate an answer.
      if (!recall(TOKEN)) answer._id = undefined;
      this.#audience.streamed();
    }).then(
      () => undefined,
      (thrown) => ({ code: "failed", ...thrown }),
    );
  }

  // False where the conversation was left meanwhile.
  #ends(answer: Message): boolean {
    const { scene } = this;
    if (scene.live != answer) return false;
    scene.live = scene.busy = undefined;
    return true;
  }

  #finish(answer: Message): void {
    // What was not stopped here was stopped by a person who takes over.
    this.#missed ||= answer.reason == "stopped" && !answer.sent;
    if (answer.answeredBy == "person") return this.#audience.handed(answer);
    this.#audience.answered(answer);
    shell.emit("message", { role: "assistant", content: answer.content, turnId: answer.turnId });
  }

  // Other tabs read the conversation again.
  #acknowledged(): void {
    remember(PENDING);
    remember(TICK, randomId());
  }

  // The page is told with a conversation's first question.
  #page(): { url: string; title: string } | undefined {
    if (options.page == "off" || this.scene.messages.some(({ sent }) => sent)) return;
    return { url: location.href.split("#")[0].slice(0, MAX_URL), title: document.title.slice(0, MAX_TITLE) };
  }

  async #read(cursor?: string) {
    const query = new URLSearchParams({ limit: `${HISTORY}`, ...(cursor && { cursor }) });
    return toObject(await (await request("session/messages?" + query, "GET")).text());
  }

  /** Tell what failed, and how to try again; "it will be sent" is said of questions alone. */
  fail(thrown: unknown, retry: () => unknown): void {
    const problem: Problem = { code: "failed", ...(thrown as object) };
    const offline = problem.code == "offline";
    const code = offline && retry != this.again ? "unreachable" : problem.code;
    this.scene.trouble = { ...problem, code, offline, retry, until: Date.now() + (problem.wait || 0) * 1000 };
    this.#audience.changed();
    shell.emit("error", problem);
  }
}
