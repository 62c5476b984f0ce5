/** The panel's entry: joins the conversation, what is drawn of it, and the launcher. */

import { identify } from "./client";
import type { Panel } from "./contract";
import { Conversation } from "./conversation";
import { tellDataLayer } from "./data-layer";
import { Panel as View } from "./panel";
import { refocus, settle } from "./ground";
import { h } from "./elements";
import { shell } from "./shell";
import { SESSION, TICK, keyOf, moveFormer } from "./storage";
import css from "./style.css";
import { loadTexts, texts } from "./texts";

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
  const conversation: Conversation = new Conversation({
    changed: (toEnd) => panel.draw(toEnd),
    streamed: () => panel.stream(),
    answered: (answer) => {
      if (!shell.isOpen) count(unread + 1);
      panel.draw();
      panel.speak(answer);
    },
  });
  const { scene, send, clear, reset, retry, sync } = conversation;
  const panel: View = new View(conversation);

  const sheet = new CSSStyleSheet();
  sheet.replaceSync(css);
  shell.host.shadowRoot!.adoptedStyleSheets.push(sheet);
  conversation.resume();
  panel.draw();

  const ticking = setInterval(() => shell.isOpen && panel.draw(), TIMES_MS);
  signal.addEventListener("abort", () => (clear(), clearInterval(ticking)));
  addEventListener("online", () => scene.trouble?.offline && retry(), { signal });
  addEventListener("storage", ({ key, newValue }) => (key == keyOf(SESSION) && !newValue ? clear() : known && key == keyOf(TICK) && sync()), { signal });

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
      if (anew) count(0);
      if (anew && !known) void sync();
      known ||= anew;
      panel.place(anew);
      if (!anew) refocus();
    },
    focus: () => (shell.isFull() ? shell.dialog : panel.input).focus(),
  };
}
