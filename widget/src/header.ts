/** The panel's head: who answers, the menu, and what the law wants said. */

import { mint } from "./client";
import type { Conversation } from "./conversation";
import { button, h, icon } from "./dom";
import { picture } from "./elements";
import { options, shell } from "./shell";
import { DAYS, PEOPLE, TOKEN, recall, remember } from "./storage";
import { texts } from "./texts";

/** Build the menu and its entry for those who want a person; `done` is called after a choice. */
export function createMenu({ reset, erase }: Conversation, want: () => unknown, done: () => void): [HTMLDetailsElement, entry: HTMLElement] {
  const choose = (action: () => unknown) => {
    menu.open = false;
    void action();
    done();
  };
  const entry = button("person", () => choose(want));
  const offer = () => (entry.hidden = !recall(PEOPLE));
  const remove = button("erase", () => 0);
  // Until the menu has opened, which it says a moment later, nobody knows whether there is something to offer.
  entry.hidden = remove.hidden = true;
  // Deleting takes two clicks on the same button, and a double click is one.
  remove.onclick = ({ detail }) => {
    if (detail > 1) return;
    if (remove.textContent == texts.sure) choose(erase);
    else remove.textContent = texts.sure;
  };
  const menu: HTMLDetailsElement = h(
    "details.menu",
    {
      ontoggle: () => {
        remove.textContent = texts.erase;
        remove.hidden = !recall(TOKEN);
        offer();
        // Whether somebody may be asked for, the server says with a session.
        if (menu.open && !texts.people) mint().then(offer, offer);
      },
    },
    h("summary", { title: texts.menu }, icon("menu")),
    h("div", {}, entry, button("fresh", () => choose(reset)), remove),
  );
  return [menu, entry];
}

/** Build the header around the menu. */
export const createHeader = (menu: HTMLElement): HTMLElement =>
  h("header.header", {}, h("span.avatar", {}, picture(options.avatar)), h("h2.title", {}, texts.title), menu, options.inline ? "" : button("close", () => shell.close()));

/** Say that an AI answers, how long it is remembered, and where privacy is explained. */
export function drawDisclosure(line: HTMLElement): void {
  const { disclosure, privacyUrl } = options;
  const days = texts.retentionDays || recall(DAYS);
  remember(DAYS, days && `${days}`);
  const parts = [
    disclosure == "off" ? "" : texts.disclosure,
    days ? texts.kept.replace("{days}", `${days}`) : "",
    /^(?!\w+:)|^https?:/i.test(privacyUrl || "") && privacyUrl ? h("a", { href: privacyUrl, target: "_blank", rel: "noopener" }, texts.privacy) : "",
  ].filter(Boolean);
  line.hidden = !parts.length;
  line.replaceChildren(...parts.flatMap((part) => [part, " "]));
}
