/** The panel's entry: joins the conversation, what is drawn of it, and the launcher. */

import { identify, mint, request } from "./client";
import type { Panel } from "./contract";
import { Conversation } from "./conversation";
import { tellDataLayer } from "./data-layer";
import { adopt, h } from "./elements";
import { refocus, settle } from "./ground";
import { Panel as View } from "./panel";
import { Part } from "./part";
import type { Kit, People } from "./people/contract";
import { options, shell } from "./shell";
import { HANDOFF, SESSION, TICK, TOKEN, keyOf, moveFormer, recall, remember } from "./storage";
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
  // What a person's part in the conversation needs, most visitors never want.
  const people = new Part<People>(PEOPLE_FILE, () => kit);
  const meet = async (then: (people: People) => unknown): Promise<void> => {
    try {
      await then(await people.load());
    } catch (thrown) {
      conversation.fail(thrown, () => meet(then));
    }
  };
  const conversation: Conversation = new Conversation({
    changed: (toEnd) => panel.draw(toEnd),
    streamed: () => panel.stream(),
    ready: (messages) => panel.answers.ready(messages),
    handed: (answer) => {
      panel.draw();
      void meet((people) => people.handed(answer));
    },
    heard: (history) => {
      if (people.here || history.nextEvent) void meet((people) => people.heard(history));
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

  adopt(shell.host.shadowRoot!, css);
  // There is something to draw, soon.
  if (recall(TOKEN)) void panel.answers.ready([]);
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
      void people.here?.shown();
      if (!anew) refocus();
    },
    focus: () => (shell.isFull() ? shell.dialog : panel.input).focus(),
  };
}
