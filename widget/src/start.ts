/** The panel's entry: joins the conversation, what is drawn of it, and the launcher. */

import { identify, mint, request } from "./client";
import type { Panel } from "./contract";
import { Conversation } from "./conversation";
import type { Kit, People } from "./people/contract";
import { tellDataLayer } from "./data-layer";
import { Panel as View } from "./panel";
import { refocus, settle } from "./ground";
import { h } from "./elements";
import { options, shell } from "./shell";
import { HANDOFF, SESSION, TICK, keyOf, moveFormer, recall, remember } from "./storage";
import css from "./style.css";
import { loadTexts, texts } from "./texts";

declare const PEOPLE_FILE: string;

const TIMES_MS = 60_000;

/** Fill the launcher's dialog. */
export async function start(): Promise<Panel> {
  await loadTexts();
  moveFormer();
  settle();
  tellDataLayer();
  const { signal, launcher } = shell;
  const badge = h("span.badge");
  launcher.append(badge);
  let unread = 0;
  const count = (answers: number) => {
    unread = answers;
    badge.textContent = answers ? `${answers}` : "";
    launcher.ariaLabel = texts.title + (answers ? ` (${answers})` : "");
  };
  let known = false;
  let people: People | undefined;
  let tries = 0;
  // What a person's part in the conversation needs is a file of its own, which most visitors never want.
  const meet = async (then: (people: People) => unknown): Promise<void> => {
    try {
      const { start } = await import(`${shell.files}${PEOPLE_FILE}?${tries}`);
      await then((people ??= start(kit)));
    } catch (thrown) {
      tries++;
      conversation.fail(thrown, () => meet(then));
    }
  };
  const conversation: Conversation = new Conversation({
    changed: (toEnd) => panel.draw(toEnd),
    streamed: () => panel.stream(),
    handed: (answer) => {
      panel.draw();
      void meet((people) => people.handed(answer));
    },
    heard: (history) => {
      if (people || history.nextEvent) void meet((people) => people.heard(history));
    },
    answered: (answer) => {
      if (!shell.isOpen) count(unread + 1);
      panel.draw();
      panel.speak(answer);
    },
  });
  const { scene, send, clear, reset, retry, sync } = conversation;
  const panel: View = new View(conversation, () => meet((people) => people.want()));
  const kit: Kit = { shell, texts, request, mint, recall, remember, conversation, panel, count: (more) => count(unread + more) };

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shell.host.shadowRoot!.adoptedStyleSheets.push(sheet);
  conversation.resume();
  panel.draw();

  const ticking = setInterval(() => shell.isOpen && panel.draw(), TIMES_MS);
  signal.addEventListener("abort", () => (clear(), clearInterval(ticking)));
  addEventListener("online", () => scene.trouble?.offline && retry(), { signal });
  addEventListener("storage", ({ key, newValue }) => (key == keyOf(SESSION) && !newValue ? clear() : known && key == keyOf(TICK) && sync()), { signal });
  if (recall(HANDOFF) || options.contact || /[?&]perch=/.test(location.search)) await meet((people) => people.shown());

  return {
    send: (text) => {
      if (!scene.busy) return void send(text);
      panel.input.value = text;
      panel.draw();
    },
    reset,
    identify: (jwt) => {
      identify(jwt);
      if (known) void sync();
    },
    shown: (anew) => {
      if (anew) {
        count(0);
        if (!known) void sync();
        known = true;
      }
      panel.place(anew);
      void people?.shown();
      if (!anew) refocus();
    },
    focus: () => (shell.isFull() ? shell.dialog : panel.input).focus(),
  };
}
