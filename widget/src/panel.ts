/** The open widget: header, log, composer. It draws; `chat.ts` decides. */

import { button, h, icon, set } from "./dom";
import type { Options } from "./options";
import { createRow, drawBar, paint, type Row, type RowActions } from "./rows";
import { picture } from "./shell";
import type { TextName } from "./texts";
import type { Message } from "./transcript";
import type { Problem } from "./wire";

/** What is to be seen. */
export interface Scene {
  messages: Message[];
  /** The answer that is being streamed here. */
  live?: Message;
  /** Something is being answered, here or in another tab. */
  busy?: boolean;
  trouble?: Problem & { until?: number };
  starters: string[];
  older: boolean;
  erasable: boolean;
  limit: number;
}

export interface PanelActions extends RowActions {
  send: (text: string) => void;
  stop: () => void;
  close: () => void;
  fresh: () => void;
  erase: () => void;
  older: () => void;
}

const clock = (seconds: number): string => `${Math.floor(seconds / 60)}:${("0" + (seconds % 60)).slice(-2)}`;

/** Build the panel. */
export function createPanel(options: Options, scene: Scene, actions: PanelActions) {
  const { text } = actions;
  const rows = new WeakMap<Message, Row>();
  let following = true;
  let frame = 0;
  let ticking: ReturnType<typeof setTimeout> | undefined;

  const plain = (part: TextName, click: () => void) => h(`button.${part}`, { type: "button", click }, text(part));

  // Deleting takes two clicks on the same button.
  let sure = false;
  const erase = plain("erase", () => {
    if (sure) unfold(false), actions.erase();
    sure = true;
    erase.textContent = text("sure");
  });
  const menu = h("div.menu", {}, plain("fresh", () => (unfold(false), actions.fresh())), erase);
  const more = button("more", text("menu"), "more", () => unfold(!!menu.hidden));
  const unfold = (open: boolean): void => {
    sure = false;
    erase.textContent = text("erase");
    erase.hidden = !scene.erasable;
    menu.hidden = !open;
    set(more, { "aria-expanded": "" + open });
  };

  const log = h("div.log", {
    role: "log",
    "aria-live": "off",
    "aria-label": text("title"),
    tabindex: 0,
    scroll: () => {
      const { scrollTop } = log;
      const end = log.scrollHeight - log.clientHeight - scrollTop < 8;
      // Only the reader scrolls upwards; what grows below does not.
      following = end || (following && scrollTop >= lastTop);
      lastTop = scrollTop;
      latest.hidden = following;
    },
  });
  let lastTop = 0;
  const older = plain("older", actions.older);
  const welcome = h("div.answer", {}, h("div.text", { dir: "auto" }, text("welcomeMessage")));
  const starters = h("div.starters");
  const typing = h("div.typing", { role: "img", "aria-label": text("typing") }, h("i"), h("i"), h("i"));
  const reason = h("p");
  const retry = h("button.retry", { type: "button", click: () => actions.again() });
  const notice = h("div.notice", {}, reason, retry);
  const latest = button("latest", text("latest"), "fold", () => follow(true));

  const input = h("textarea.input", {
    rows: 1,
    placeholder: text("inputPlaceholder"),
    "aria-label": text("inputPlaceholder"),
    dir: "auto",
    input: () => grow(),
    keydown: (event: KeyboardEvent) => {
      // Enter also ends the composing of a word in many scripts.
      if (event.key != "Enter" || event.shiftKey || event.isComposing || event.keyCode == 229) return;
      event.preventDefault();
      submit();
    },
  });
  const count = h("span.count");
  const send = h("button.send", { type: "submit", "aria-label": text("send"), title: text("send") }, icon("send"));
  const stop = button("stop", text("stop"), "stop", actions.stop);
  const status = h("div.hidden", { role: "status" });

  const grow = () => {
    const { length } = [...input.value.trim()];
    const over = length > scene.limit;
    count.textContent = length > scene.limit * 0.9 ? `${length} / ${scene.limit}` : "";
    count.classList.toggle("over", over);
    send.disabled = !length || over;
    input.style.height = "0";
    input.style.height = input.scrollHeight + "px";
  };
  const submit = () => {
    if (send.disabled || scene.busy) return;
    const { value } = input;
    input.value = "";
    grow();
    actions.send(value.trim());
    input.focus();
  };

  const panel = h(
    "div.panel",
    {
      role: options.inline ? "region" : "dialog",
      "aria-label": text("title"),
      tabindex: -1,
      // The page's own shortcuts must not hear what is typed here.
      keydown: (event: KeyboardEvent) => {
        event.stopPropagation();
        if (event.key == "Escape" && !event.isComposing) menu.hidden ? actions.close() : (unfold(false), more.focus());
        if (event.key == "Tab" && panel.ariaModal) hold(event);
      },
      keyup: (event: Event) => event.stopPropagation(),
      keypress: (event: Event) => event.stopPropagation(),
    },
    h(
      "header.header",
      {},
      h("span.avatar", {}, options.avatar ? picture(options.avatar) : icon("chat")),
      h("h2.title", {}, text("title")),
      more,
      !options.inline && button("close", text("close"), "close", actions.close),
      menu,
    ),
    log,
    latest,
    h("form.composer", { submit: (event: Event) => (event.preventDefault(), submit()) }, h("div.box", {}, input, count, send, stop)),
    status,
  );

  const hold = (event: KeyboardEvent) => {
    const stops = [...panel.querySelectorAll<HTMLElement>("button,a,textarea,[tabindex='0']")].filter(
      (element) => element.getClientRects().length && !(element as HTMLButtonElement).disabled,
    );
    const [from, to] = event.shiftKey ? [stops[0], stops.at(-1)] : [stops.at(-1), stops[0]];
    const { activeElement } = panel.getRootNode() as ShadowRoot;
    if (activeElement == from || activeElement == panel) event.preventDefault(), to!.focus();
  };

  /** Go to the end of the log, if the reader is there or wants it. */
  const follow = (wanted?: boolean) => {
    following ||= !!wanted;
    if (following) log.scrollTop = log.scrollHeight;
    latest.hidden = following;
  };

  const rowOf = (message: Message): Row => {
    let row = rows.get(message);
    if (!row) rows.set(message, (row = createRow(message, actions)));
    return row;
  };

  const write = (message: Message) => {
    const row = rowOf(message);
    if (message.role == "user") row.text.textContent = message.content;
    else paint(row, message.content, message == scene.live, actions);
    return row;
  };

  /** Show what was streamed since, once a frame. */
  const stream = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (scene.live) write(scene.live);
      follow();
    });
  };

  const drawTrouble = () => {
    clearTimeout(ticking);
    const { trouble } = scene;
    notice.hidden = !trouble;
    if (!trouble) return;
    const seconds = Math.ceil(((trouble.until || 0) - Date.now()) / 1000);
    reason.textContent = text(trouble.code as TextName) || trouble.text || text("failed");
    retry.textContent = text("retry") + (seconds > 0 ? " · " + clock(seconds) : "");
    retry.disabled = seconds > 0;
    if (seconds > 0) ticking = setTimeout(drawTrouble, 1000);
  };

  /** Draw the whole scene. */
  const draw = () => {
    const { messages, live, busy } = scene;
    const nodes = messages.map((message, i) => {
      const row = write(message);
      drawBar(row, message, i == messages.length - 1, !!busy && i > messages.length - 3, i > messages.length - 3 && !!scene.trouble, actions);
      return row.node;
    });
    older.hidden = !scene.older;
    welcome.hidden = scene.older;
    starters.hidden = !!messages.length;
    typing.hidden = !busy || !!live?.content;
    send.hidden = !!busy;
    stop.hidden = !live;
    if (!starters.hidden)
      starters.replaceChildren(...scene.starters.map((starter) => h("button.starter", { type: "button", click: () => actions.send(starter) }, starter)));
    drawTrouble();
    [older, welcome, starters, ...nodes, typing, notice].forEach((node, i) => {
      if (log.childNodes[i] != node) log.insertBefore(node, log.childNodes[i] || null);
    });
    while (log.lastChild != notice) log.lastChild!.remove();
    grow();
    follow();
  };

  unfold(false);
  return { panel, input, log, draw, stream, follow, say: (what: string) => (status.textContent = what), textOf: (message: Message) => rowOf(message).text.textContent! };
}

export type Panel = ReturnType<typeof createPanel>;
