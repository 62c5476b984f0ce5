/** Where the visitor types. */

import type { Conversation } from "./conversation";
import { button, h } from "./dom";
import { texts } from "./texts";

const DOUBLE_CLICK_MS = 500;
const MAX_CHARS = 4000;

export class Composer {
  readonly input: HTMLTextAreaElement;
  readonly element: HTMLElement;
  readonly #conversation: Conversation;
  readonly #send = button("send", () => this.#submit());
  readonly #stop: HTMLButtonElement;
  readonly #count = h("span.count");

  constructor(conversation: Conversation) {
    this.#conversation = conversation;
    // A keyboard on the screen has no Shift for a new line, and a button to send stands beside it.
    const touch = matchMedia("(pointer:coarse)").matches;
    this.input = h("textarea.input", {
      rows: 1,
      placeholder: texts.inputPlaceholder,
      enterKeyHint: touch ? "enter" : "send",
      oninput: () => this.#fit(),
      onkeydown: (event) => {
        // Enter also ends the composing of a word in many scripts.
        if (touch || event.key != "Enter" || event.shiftKey || event.isComposing || event.keyCode == 229) return;
        event.preventDefault();
        this.#submit();
      },
    });
    this.#stop = button("stop", () => {
      conversation.stop();
      this.input.focus();
    });
    this.element = h("div.composer", {}, this.input, this.#count, this.#send, this.#stop);
  }

  draw(): void {
    const { busy, live } = this.#conversation.scene;
    this.#send.hidden = !!busy;
    this.#stop.hidden = !live;
    this.#fit();
  }

  #submit(): void {
    const { input } = this;
    const { value } = input;
    if (this.#send.disabled || this.#conversation.scene.busy) return;
    input.value = "";
    this.#fit();
    // It takes the place of the button that was clicked, perhaps twice.
    this.#stop.disabled = true;
    setTimeout(() => (this.#stop.disabled = false), DOUBLE_CLICK_MS);
    void this.#conversation.send(value.trim());
    input.focus();
  }

  #fit(): void {
    const { input } = this;
    const { length } = [...input.value.trim()];
    const limit = texts.maxMessageChars || MAX_CHARS;
    this.#count.textContent = length > limit ? `${limit - length}` : "";
    this.#send.disabled = !length || length > limit;
    input.style.height = "0";
    input.style.height = input.scrollHeight + "px";
  }
}
