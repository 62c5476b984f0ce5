/** A conversation's way to a person and back: what is asked, heard, remembered and told. */

import type { Message } from "../transcript";
import { HANDOFF, PEOPLE, SESSION, TICK } from "../storage-keys";
import { toObject, type Json } from "../wire";
import { withCount } from "./address";
import { Bar } from "./bar";
import type { Kit, People } from "./contract";
import { Delivery, type Pace } from "./delivery";
import { dress } from "./dress";
import { Reaching } from "./reaching";
import { comeBack } from "./return";
import { toStanding, toState, toValue, type Standing, type State } from "./standing";
import { ENGLISH, sayEvent, type PeopleTexts } from "./texts";
import { add, isRunning, putBack, toDelivered, type Delivered, type Happening } from "./thread";

const MAX_RECENT = 100;

export class Handoff implements People {
  readonly #kit: Kit;
  readonly #speak: (sentence: string) => void;
  readonly #texts: PeopleTexts;
  readonly #bar: Bar;
  readonly #reaching: Reaching;
  readonly #delivery: Delivery<Delivered>;
  #state: State;
  #session?: string;
  /** The number of the newest event that came here. */
  #next = 0;
  /** What came while the panel was closed. */
  #unread = 0;
  /** What came last: a history that was read before it does not have it. */
  #recent: Happening[] = [];
  /** What the server said in a person's stead, which it does not keep. */
  #lines: Message[] = [];
  /** Something came while a question was on its way: only the server knows what was first. */
  #isUnsure = false;
  #working = false;

  constructor(kit: Kit, speak: (sentence: string) => void) {
    this.#kit = kit;
    this.#speak = speak;
    const { shell, panel } = kit;
    const texts = (this.#texts = { ...ENGLISH, ...kit.texts });
    this.#reaching = new Reaching(kit, texts, (sentence) => this.#speak(sentence));
    this.#bar = new Bar(texts, shell.locale, () => this.want(), () => this.#reaching.open());
    this.#delivery = new Delivery({ pace: () => this.#pace(), read: (wait, signal) => this.#read(wait, signal), hear: (found) => this.#hear(found) });
    const { state, seen } = this.#standing;
    this.#state = state;
    this.#next = seen;
    this.#session = kit.recall(SESSION);
    panel.log.before(this.#bar.element);
    panel.dress = () => this.#draw();
    this.#listen();
  }

  /** Ask for a person, or go back to the assistant. */
  want = async (): Promise<void> => {
    const { request, remember, conversation, panel } = this.#kit;
    if (this.#working) return;
    this.#working = true;
    try {
      const asking = this.#state == "bot";
      const response = await request("session/handoff", asking ? "POST" : "DELETE", asking ? {} : undefined);
      const { state, backAt } = toObject(await response.text());
      this.#remember({ state: toState(state), backAt: Number(backAt) || 0 });
    } catch (thrown) {
      return void conversation.fail(thrown, this.want);
    } finally {
      this.#working = false;
    }
    // Other tabs read the conversation again.
    remember(TICK, `${Math.random()}`);
    panel.input.focus();
    panel.place(true);
    await conversation.sync();
  };

  handed(answer: Message): void {
    const { conversation, panel } = this.#kit;
    const { scene } = conversation;
    const { content } = answer;
    // Who talks with a person already needs no word that one will come.
    if (this.#state != "human" && content.trim() && !this.#lines.some((line) => line.content == content)) this.#lines.push(answer);
    else scene.messages = scene.messages.filter((message) => message != answer);
    // Nobody asked for a person here: who answers is new.
    if (this.#state == "bot" || this.#isUnsure) void conversation.sync();
    panel.place(false);
  }

  heard({ state, nextEvent, isReachable }: Json): void {
    const { scene } = this.#kit.conversation;
    this.#settle();
    this.#reaching.isReachable = !!isReachable;
    this.#reaching.isRead = true;
    this.#isUnsure = false;
    const newest = Number(nextEvent) || 0;
    const later = this.#recent.filter(({ n }) => n > newest);
    // A history that was read before the newest event does not know how it stands.
    if (!later.length) {
      const now = toState(state);
      // Where events are asked for, they come by themselves, each with its number. Another tab may have
      // seen more than this history has, and a store that has fewer begins anew: both are asked from here.
      if (!this.#next || now == "bot" || newest < this.#next) this.#next = newest;
      this.#remember({ state: now });
    }
    scene.messages = putBack(add(scene.messages, later.map(({ message }) => message)), this.#lines);
    this.#look();
    this.#kit.panel.place(false);
  }

  async shown(): Promise<void> {
    await comeBack(this.#kit, this.#texts);
    this.#look();
    void this.#reaching.prepare().then(() => this.#draw());
  }

  get #standing(): Standing {
    return toStanding(this.#kit.recall(HANDOFF));
  }

  #listen(): void {
    const { shell } = this.#kit;
    const { signal } = shell;
    const wake = () => this.#look();
    document.addEventListener("visibilitychange", wake, { signal });
    for (const name of ["online", "offline"]) addEventListener(name, wake, { signal });
    addEventListener("storage", ({ key }) => key == `perch-${HANDOFF}-${shell.name}` && this.#draw(), { signal });
    signal.addEventListener("abort", () => {
      this.#state = "bot";
      this.#mark(0);
      this.#delivery.wake();
    });
  }

  #pace(): Pace {
    if (this.#state == "bot" || document.hidden || !navigator.onLine) return "off";
    return this.#kit.shell.isOpen ? "open" : "closed";
  }

  async #read(wait: number, signal: AbortSignal): Promise<Delivered | undefined> {
    const response = await this.#kit.request(`session/events?after=${this.#next}${wait ? `&wait=${wait}` : ""}`, "GET", undefined, signal);
    return response.status == 204 ? undefined : toDelivered(toObject(await response.text()));
  }

  #hear({ state, events, next }: Delivered): void {
    const { conversation, panel } = this.#kit;
    const { scene } = conversation;
    const news = events.filter(({ n }) => n > this.#next);
    this.#next = Math.max(this.#next, next, ...news.map(({ n }) => n));
    this.#isUnsure ||= isRunning(scene.messages.at(-1));
    scene.messages = add(scene.messages, news.map(({ message }) => message));
    this.#recent = [...this.#recent, ...news].slice(-MAX_RECENT);
    this.#remember({ state });
    this.#tell(news);
    this.#look();
    panel.place(false);
  }

  // Says what came, to all who cannot see it: on the launcher, to screen readers, to the page.
  #tell(news: Happening[]): void {
    const { shell } = this.#kit;
    const rows = news.map(({ message }) => message);
    const said = rows.filter(({ role }) => role == "operator");
    // Another tab may have shown them.
    const { seen } = this.#standing;
    if (!shell.isOpen) this.#mark(this.#unread + news.filter(({ n, message }) => n > seen && said.includes(message)).length);
    this.#speak(rows.map(({ role, content, author, event }) => (role == "operator" ? `${author || this.#texts.someone}: ${content}` : sayEvent(this.#texts, event, author))).join("\n"));
    for (const { content, author: name, createdAt } of said) shell.emit("operator", { content, name, createdAt });
  }

  #mark(unread: number): void {
    this.#kit.count(unread - this.#unread);
    this.#entitle(unread);
  }

  #entitle(unread: number): void {
    const title = withCount(document.title, this.#unread, unread);
    this.#unread = unread;
    if (title != document.title) document.title = title;
  }

  // The panel may have been opened or closed, the page hidden or shown.
  #look(): void {
    if (this.#kit.shell.isOpen && !document.hidden) {
      // The panel takes its own number back when it opens.
      this.#entitle(0);
      if (this.#state != "bot" && this.#next > this.#standing.seen) this.#remember({ seen: this.#next });
    }
    this.#delivery.wake();
  }

  #remember(what: Partial<Standing>): void {
    this.#kit.remember(HANDOFF, toValue({ ...this.#standing, ...what }));
    this.#settle();
  }

  // Takes over what is remembered, which this tab, another one or a new session changed.
  #settle(): void {
    const { recall, shell } = this.#kit;
    const { state, seen } = this.#standing;
    const session = recall(SESSION);
    if (session != this.#session) {
      this.#session = session;
      this.#next = seen;
      this.#lines = [];
      this.#recent = [];
      this.#reaching.isReachable = false;
      if (this.#unread) this.#mark(0);
    }
    if (this.#unread && seen >= this.#next) this.#mark(0);
    if (state == this.#state) return;
    this.#state = state;
    this.#bar.draw(this.#standing, this.#name, true);
    shell.emit("handoff", { state });
    this.#delivery.wake();
  }

  get #name(): string {
    return this.#kit.conversation.scene.messages.findLast(({ author }) => author)?.author || this.#texts.someone;
  }

  #draw(): void {
    const { conversation, panel, recall } = this.#kit;
    const { messages } = conversation.scene;
    this.#settle();
    const handed = this.#state != "bot";
    messages.forEach((message, i) => dress(panel.list.children[i] as HTMLElement, message, handed, this.#texts));
    panel.log.classList.toggle("handed", handed);
    panel.entry.textContent = handed ? this.#texts.assistant : this.#texts.person;
    panel.chip.hidden ||= handed || !recall(PEOPLE);
    this.#reaching.draw(this.#standing, messages.length);
    this.#bar.draw(this.#standing, this.#name, this.#reaching.isDone);
  }
}
