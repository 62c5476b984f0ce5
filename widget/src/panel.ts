/** The open widget: header, log, composer. It draws; `chat.ts` decides. */

import { button, h, icon, picture } from "./dom";
import { options } from "./options";
import { createRow, paint, type Row, type RowActions } from "./rows";
import { TOKEN, recall } from "./storage";
import { texts, type TextName } from "./texts";
import type { Message } from "./transcript";
import type { Problem } from "./wire";

/** What is to be seen. */
export interface Scene {
  messages: Message[];
  /** The answer that is being streamed here. */
  live?: Message;
  /** Something is being answered, here or in another tab. */
  busy?: boolean;
  trouble?: Problem & { until: number; offline?: boolean; retry: () => unknown };
}

export interface PanelActions extends RowActions {
  send: (text: string) => void;
  stop: () => void;
  retry: () => void;
  close: () => void;
  reset: () => void;
  erase: () => void;
}

const DOUBLE_CLICK_MS = 500;

/** Build the panel. */
export function createPanel(scene: Scene, actions: PanelActions) {
  const rows = new WeakMap<Message, Row>();
  let following = true;
  let lastTop = 0;
  let frame = 0;
  let ticking: ReturnType<typeof setTimeout> | undefined;

  // Deleting takes two clicks on the same button.
  const erase = button("erase", () => {
    if (erase.textContent == texts.sure) choose(actions.erase);
    else erase.textContent = texts.sure;
  });
  const choose = (action: () => void) => {
    menu.open = false;
    action();
  };
  const menu = h(
    "details.menu",
    {
      ontoggle: () => {
        erase.textContent = texts.erase;
        erase.hidden = !recall(TOKEN);
      },
    },
    h("summary", { title: texts.menu }, icon("menu")),
    h("div", {}, button("fresh", () => choose(actions.reset)), erase),
  );

  // Goes to the end of the log, if the reader is there or wants it.
  const follow = (wanted?: boolean) => {
    following ||= !!wanted;
    typing.hidden = !scene.busy || !!scene.live?.content;
    if (following) log.scrollTop = log.scrollHeight;
    latest.hidden = following;
  };
  const latest = button("latest", () => follow(true));
  const starters = h("div.starters");
  const list = h("div.list");
  const typing = h("div.typing", {}, h("i"), h("i"), h("i"));
  const cause = h("p", { role: "alert" });
  const retry = button("retry", actions.retry);
  const notice = h("div.notice", {}, cause, retry);
  const log = h(
    "div.log",
    {
      role: "log",
      ariaLive: "off",
      tabIndex: 0,
      onscroll: () => {
        const { scrollTop, scrollHeight, clientHeight } = log;
        // Only the reader scrolls upwards; what grows below does not.
        following = scrollHeight - clientHeight - scrollTop < 8 || (following && scrollTop >= lastTop);
        lastTop = scrollTop;
        latest.hidden = following;
      },
    },
    h("div.answer", {}, h("div.text", { dir: "auto" }, texts.welcomeMessage)),
    starters,
    list,
    typing,
    notice,
  );

  const input = h("textarea.input", {
    rows: 1,
    placeholder: texts.inputPlaceholder,
    oninput: () => fit(),
    onkeydown: (event) => {
      // Enter also ends the composing of a word in many scripts.
      if (event.key != "Enter" || event.shiftKey || event.isComposing || event.keyCode == 229) return;
      event.preventDefault();
      submit();
    },
  });
  const count = h("span.count");
  const submit = () => {
    const { value } = input;
    if (send.disabled || scene.busy) return;
    input.value = "";
    fit();
    // It takes the place of the button that was clicked, perhaps twice.
    stop.disabled = true;
    setTimeout(() => (stop.disabled = false), DOUBLE_CLICK_MS);
    actions.send(value.trim());
    input.focus();
  };
  const send = button("send", submit);
  const stop = button("stop", actions.stop);
  const status = h("div.spoken", { role: "status" });

  const fit = () => {
    const { length } = [...input.value.trim()];
    const limit = texts.maxMessageChars || 4000;
    count.textContent = length > limit ? `${limit - length}` : "";
    send.disabled = !length || length > limit;
    input.style.height = "0";
    input.style.height = input.scrollHeight + "px";
  };

  const deaf = (event: Event) => event.stopPropagation();
  const panel = h(
    "dialog.panel",
    {
      ariaLabel: texts.title,
      oncancel: actions.close,
      // The page's own shortcuts must not hear what is typed here.
      onkeyup: deaf,
      onkeypress: deaf,
      onkeydown: (event) => {
        deaf(event);
        if (event.key != "Escape" || event.isComposing) return;
        event.preventDefault();
        if (menu.open) menu.open = false;
        else actions.close();
      },
    },
    h("header.header", {}, h("span.avatar", {}, picture(options.avatar)), h("h2.title", {}, texts.title), menu, options.inline ? "" : button("close", actions.close)),
    log,
    latest,
    h("div.composer", {}, input, count, send, stop),
    status,
  );

  const rowOf = (message: Message): Row => {
    let row = rows.get(message);
    if (!row) rows.set(message, (row = createRow(message, actions)));
    if (message.role == "user") row.text.textContent = message.content;
    else paint(row, message.content, message == scene.live);
    row.node.hidden = !message.content;
    return row;
  };

  /** Show what was streamed since, once a frame. */
  const stream = () => {
    frame ||= requestAnimationFrame(() => {
      frame = 0;
      if (scene.live) rowOf(scene.live);
      follow();
    });
  };

  const countDown = () => {
    const seconds = Math.ceil((scene.trouble!.until - Date.now()) / 1000);
    clearTimeout(ticking);
    retry.disabled = seconds > 0;
    retry.textContent = texts.retry + (retry.disabled ? " " + new Date(seconds * 1000).toISOString().slice(seconds < 3600 ? 14 : 11, 19) : "");
    if (retry.disabled) ticking = setTimeout(countDown, 1000);
  };

  /** Draw the whole scene. */
  const draw = (toEnd?: boolean) => {
    const { messages, live, busy, trouble } = scene;
    const { length } = messages;
    const { childNodes } = list;
    messages.forEach((message, i) => {
      const { node, draw } = rowOf(message);
      draw(i > length - 2, i < length - 2 || !(busy || trouble));
      if (childNodes[i] != node) list.insertBefore(node, childNodes[i]);
    });
    while (childNodes[length]) list.lastChild!.remove();
    send.hidden = !!busy;
    stop.hidden = !live;
    starters.replaceChildren(
      ...(length ? [] : (options.starters?.split("|") || (texts.starters as string[]) || []).map((starter) => h("button.starter", { onclick: () => actions.send(starter) }, starter))),
    );
    notice.hidden = !trouble;
    if (trouble) {
      cause.textContent = texts[trouble.code as TextName] || trouble.text || texts.failed;
      countDown();
    }
    fit();
    follow(toEnd);
  };

  /** Have a message spoken. */
  const speak = (message: Message) => {
    status.textContent = rowOf(message).text.textContent;
  };

  return { panel, input, draw, stream, speak };
}

export type Panel = ReturnType<typeof createPanel>;
