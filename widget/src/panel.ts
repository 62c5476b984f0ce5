/** The open widget: header, log, composer. It draws; the conversation decides. */

import { Answers } from "./answers";
import { Composer } from "./composer";
import type { Conversation } from "./conversation";
import { button, h } from "./dom";
import { createHeader, createMenu, drawDisclosure } from "./header";
import { createRow, type Row } from "./rows";
import { options, shell } from "./shell";
import { PEOPLE, recall } from "./storage";
import { texts, type TextName } from "./texts";
import type { Message, Scene } from "./transcript";

// After three questions, with their answers, a person is offered.
const PATIENCE = 6;
// Failures whose sentence the operator may have written for visitors.
const TOLD = /^(budget_exhausted|daily_limit_reached|switched_off)$/;

export class Panel {
  readonly #conversation: Conversation;
  readonly #scene: Scene;
  readonly #composer: Composer;
  readonly #menu: HTMLDetailsElement;
  /** Where one asks for a person: an entry of the menu, and a chip under the conversation. */
  readonly entry: HTMLElement;
  readonly chip: HTMLElement;
  /** Dresses the rows that the panel knows nothing of, whenever they were drawn. */
  dress?: () => void;
  /** Draws what the answers say. */
  readonly answers = new Answers(() => this.draw());
  readonly #rows = new WeakMap<Message, Row>();
  readonly #disclosure = h("p.disclosure");
  readonly #earlier: HTMLElement;
  readonly #starters = h("div.starters");
  /** The messages' elements, in the scene's order. */
  readonly list = h("div.list");
  readonly #typing = h("div.typing", {}, h("i"), h("i"), h("i"));
  readonly #cause = h("p", { role: "alert" });
  readonly #retry: HTMLButtonElement;
  readonly #notice: HTMLElement;
  readonly log: HTMLElement;
  readonly #latest = button("latest", () => this.#follow(true));
  readonly #status = h("div.spoken", { role: "status" });
  #following = true;
  #lastTop = 0;
  #frame = 0;
  #ticking?: ReturnType<typeof setTimeout>;

  constructor(conversation: Conversation, want: () => unknown) {
    this.#conversation = conversation;
    this.#scene = conversation.scene;
    this.#composer = new Composer(conversation);
    [this.#menu, this.entry] = createMenu(conversation, want, () => this.input.focus());
    this.chip = button("person", want);
    this.#earlier = button("earlier", conversation.readEarlier);
    this.#retry = button("retry", conversation.retry);
    this.#notice = h("div.notice", {}, this.#cause, this.#retry);
    this.log = this.#createLog();
    this.#fill(shell.dialog);
  }

  get input(): HTMLTextAreaElement {
    return this.#composer.input;
  }

  /** Draw the whole scene. */
  draw(toEnd?: boolean): void {
    const { messages, busy, trouble, earlier } = this.#scene;
    const { length } = messages;
    const { childNodes } = this.list;
    messages.forEach((message, i) => {
      const { node, draw } = this.#rowOf(message);
      draw(i > length - 2, i < length - 2 || !(busy || trouble));
      if (childNodes[i] != node) this.list.insertBefore(node, childNodes[i]);
    });
    while (childNodes[length]) this.list.lastChild!.remove();
    this.#earlier.hidden = !earlier;
    this.chip.hidden = !recall(PEOPLE) || !(length >= PATIENCE || messages.some(({ answeredBy, feedback }) => answeredBy == "unknown" || feedback?.rating == "down"));
    drawDisclosure(this.#disclosure);
    this.#drawStarters();
    this.#notice.hidden = !trouble;
    if (trouble) {
      this.#cause.textContent = texts[trouble.code as TextName] || (TOLD.test(trouble.code) && trouble.text) || texts.failed;
      this.#countDown();
    }
    this.#composer.draw();
    this.dress?.();
    this.#follow(toEnd);
  }

  /** Show what was streamed since, once a frame. */
  stream(): void {
    this.#frame ||= requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.#scene.live) this.#rowOf(this.#scene.live);
      this.#follow();
    });
  }

  /** Have a message spoken. */
  speak(message: Message): void {
    this.#status.textContent = this.#rowOf(message).text.textContent;
  }

  /** Stand where it stood, after the dialog was shown or moved; `toEnd` at the newest message. */
  place(toEnd: boolean): void {
    if (!this.#following) this.log.scrollTop = this.#lastTop;
    if (toEnd && !matchMedia("(prefers-reduced-motion:reduce)").matches) this.log.animate([{ opacity: 0, translate: "0 12px" }, {}], 200);
    this.draw(toEnd);
  }

  #rowOf(message: Message): Row {
    let row = this.#rows.get(message);
    if (!row) this.#rows.set(message, (row = createRow(message, this.#conversation, this.answers)));
    if (message.role == "user") row.text.textContent = message.content;
    else this.answers.paint(row, message, message == this.#scene.live);
    row.node.hidden = !message.content;
    return row;
  }

  #drawStarters(): void {
    const starters = this.#scene.messages.length ? [] : options.starters?.split("|") || [texts.starters || []].flat();
    const wanted = starters.map((starter) => starter.trim()).filter(Boolean);
    this.#starters.replaceChildren(...wanted.map((starter) => h("button.starter", { onclick: () => this.#conversation.send(starter) }, starter)));
  }

  // Goes to the end of the log, if the reader is there or wants it.
  #follow(wanted?: boolean): void {
    const { busy, live } = this.#scene;
    this.#following ||= !!wanted;
    this.#typing.hidden = !busy || !!live?.content;
    if (this.#following) this.log.scrollTop = this.log.scrollHeight;
    this.#latest.hidden = this.#following;
  }

  #countDown(): void {
    const retry = this.#retry;
    const seconds = Math.ceil((this.#scene.trouble!.until - Date.now()) / 1000);
    clearTimeout(this.#ticking);
    retry.disabled = seconds > 0;
    retry.textContent = texts.retry + (retry.disabled ? " " + new Date(seconds * 1000).toISOString().slice(seconds < 3600 ? 14 : 11, 19) : "");
    if (retry.disabled) this.#ticking = setTimeout(() => this.#scene.trouble && this.#countDown(), 1000);
  }

  #createLog(): HTMLElement {
    const log: HTMLElement = h(
      "div.log",
      {
        role: "log",
        ariaLive: "off",
        tabIndex: 0,
        onscroll: () => {
          const { scrollTop, scrollHeight, clientHeight } = log;
          if (!clientHeight) return;
          // Only the reader scrolls upwards; what grows below does not.
          this.#following = scrollHeight - clientHeight - scrollTop < 8 || (this.#following && scrollTop >= this.#lastTop);
          this.#lastTop = scrollTop;
          this.#latest.hidden = this.#following;
        },
      },
      this.#earlier,
      h("div.answer", {}, h("div.text", { dir: "auto" }, texts.welcomeMessage)),
      this.#starters,
      this.list,
      this.#typing,
      this.#notice,
      this.chip,
    );
    return log;
  }

  #fill(dialog: HTMLDialogElement): void {
    const menu = this.#menu;
    const deaf = (event: Event) => event.stopPropagation();
    const leave = (to: EventTarget | null) => {
      if (to && !menu.contains(to as Node)) menu.open = false;
    };
    menu.addEventListener("blur", (event) => leave(event.relatedTarget), true);
    Object.assign(dialog, {
      ariaLabel: texts.title,
      onpointerdown: (event: Event) => leave(event.target),
      // The page's own shortcuts must not hear what is typed here.
      onkeyup: deaf,
      onkeypress: deaf,
      onkeydown: (event: KeyboardEvent) => {
        deaf(event);
        if (event.key != "Escape" || event.isComposing) return;
        event.preventDefault();
        if (!menu.open) return shell.close();
        menu.open = false;
        menu.querySelector("summary")!.focus();
      },
    });
    dialog.replaceChildren(createHeader(menu), this.#disclosure, this.log, this.#latest, this.#composer.element, this.#status);
  }
}
