/** Where the visitor can be answered: when that is asked, and what becomes of it. */

import { h } from "../elements";
import { HANDOFF, PEOPLE, TOKEN } from "../storage-keys";
import { createCard } from "./contact";
import type { Kit } from "./contract";
import { toStanding, toValue, type Standing } from "./standing";
import type { PeopleTexts } from "./texts";

/** Set for who was asked before the first question and gave no address. */
const SKIPPED = "skipped";

export class Reaching {
  readonly #kit: Kit;
  readonly #texts: PeopleTexts;
  readonly #speak: (sentence: string) => void;
  readonly #privacyUrl?: string;
  readonly #isEarly: boolean;
  #card?: HTMLElement;
  #isWanted = false;
  /** An address is stored. */
  isReachable = false;
  /** What was said before is known. */
  isRead = false;

  constructor(kit: Kit, texts: PeopleTexts, speak: (sentence: string) => void) {
    const { contact = "", privacyUrl = "" } = kit.shell.options;
    this.#kit = kit;
    this.#texts = texts;
    this.#speak = speak;
    this.#isEarly = contact.toLowerCase() == "before";
    // As in the panel's own line: other schemes run scripts.
    if (/^(?!\w+:)|^https?:/i.test(privacyUrl)) this.#privacyUrl = privacyUrl;
  }

  /** There is nothing to ask for, or the card asks for it already. */
  get isDone(): boolean {
    return this.isReachable || !!this.#card;
  }

  /** Hear whether somebody may be asked for, where the page wants to know the address first. */
  async prepare(): Promise<void> {
    const { shell, recall, mint } = this.#kit;
    if (!this.#isEarly || !shell.isOpen || recall(TOKEN)) return;
    await mint().catch(() => undefined);
    this.isRead = true;
  }

  /** Ask now, whatever was said before. */
  open(): void {
    this.#isWanted = true;
    this.#kit.panel.place(true);
    this.#card?.querySelector("input")!.focus();
  }

  /** Show the card where it is wanted; one in which somebody types stays as it is. */
  draw({ state, skipped }: Standing, length: number): void {
    const { panel, recall } = this.#kit;
    const early = this.#isEarly && this.isRead && state == "bot" && !length && recall(PEOPLE) && !recall(SKIPPED);
    const due = !this.isReachable && (early || (state != "bot" && (this.#isWanted || (!skipped && (state == "waiting" || !!this.#card)))));
    if (!due) {
      this.#card?.remove();
      this.#card = undefined;
      this.#isWanted &&= state != "bot";
    } else if (!this.#card) {
      this.#card = createCard(this.#texts, this.#privacyUrl, this.#send, this.#skip);
      panel.chip.before(this.#card);
    }
  }

  #send = async (contact: object): Promise<void> => {
    const { request, conversation, panel } = this.#kit;
    const given = request("session/contact", "POST", contact);
    await given.catch((thrown) => {
      if (!/^(400|422|invalid)/.test(thrown.code)) conversation.fail(thrown, () => this.#send(contact).catch(() => undefined));
      throw thrown;
    });
    const { length } = conversation.scene.messages;
    this.isReachable = true;
    this.#speak(this.#texts.contact);
    panel.input.focus();
    panel.place(true);
    // Before the first question there is no thread for a row of it.
    if (!length) panel.chip.before(h("p.event", {}, this.#texts.contact));
    else await conversation.sync();
  };

  #skip = (): void => {
    const { remember, recall, panel } = this.#kit;
    const standing = toStanding(recall(HANDOFF));
    this.#isWanted = false;
    if (standing.state == "bot") remember(SKIPPED, "1");
    else remember(HANDOFF, toValue({ ...standing, skipped: true }));
    panel.input.focus();
    panel.place(false);
  };
}
