/** The line above the thread that says who answers. */

import { h } from "../elements";
import { sayTime, type PeopleTexts } from "./texts";
import type { Standing } from "./standing";

export class Bar {
  readonly #texts: PeopleTexts;
  readonly #languages: string | string[];
  readonly #said = h("p", { dir: "auto" });
  readonly #mail: HTMLElement;
  readonly element: HTMLElement;

  constructor(texts: PeopleTexts, locale: string, release: () => unknown, reach: () => unknown) {
    this.#texts = texts;
    // Of the visitor's languages the one that the widget speaks: it knows whose the clock is.
    this.#languages = navigator.languages.find((language) => language.startsWith(locale)) || locale;
    this.#mail = h("button.by-email", { onclick: reach }, texts.byEmail);
    const ways = h("div.ways", {}, this.#mail, h("button.release", { onclick: release }, texts.assistant));
    this.element = h("div.handoff", { hidden: true }, this.#said, ways);
  }

  /** Say how it stands; `name` is the operator's, and an address may still be left where `reachable` is false. */
  draw({ state, backAt }: Standing, name: string, reachable: boolean): void {
    const { waiting, withPerson, backAt: back } = this.#texts;
    const now = Date.now();
    const later = backAt > now ? " " + back.replace("{time}", () => sayTime(backAt, now, this.#languages)) : "";
    const said = state == "human" ? withPerson.replace("{name}", () => name) : waiting + later;
    if (this.#said.textContent != said) this.#said.textContent = said;
    this.element.hidden = state == "bot";
    this.#mail.hidden = reachable;
    if (state == "human") this.#correct(this.element.previousElementSibling as HTMLElement);
  }

  // The panel's own line says that an AI answers, which is not so now.
  #correct(disclosure: HTMLElement): void {
    const { firstChild } = disclosure;
    if (firstChild?.textContent == this.#texts.disclosure) firstChild.remove();
    disclosure.hidden ||= !disclosure.textContent!.trim();
  }
}
