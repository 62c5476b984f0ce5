/** One message as it stands in the log. */

import { button, h, icon, set, type Tree } from "./dom";
import { parse } from "./markdown";
import type { TextName } from "./texts";
import type { Message } from "./transcript";

export interface RowActions {
  text: (name: TextName) => string;
  again: (question?: Message) => void;
  rate: (message: Message, rating: "up" | "down") => void;
  ago: (time: number) => string;
}

/** A message's element. `key` tells whether what surrounds its text must be drawn anew. */
export interface Row {
  node: HTMLElement;
  text: HTMLElement;
  bar: HTMLElement;
  sources: string[];
  key: string;
}

/** Copy, and show for a moment that it is done. */
export function copyButton(label: string, done: string, source: () => string): HTMLButtonElement {
  const copy = button("copy", label, "copy", async () => {
    await navigator.clipboard.writeText(source());
    copy.replaceChildren(icon("check"));
    set(copy, { "aria-label": done });
    setTimeout(() => {
      copy.replaceChildren(icon("copy"));
      set(copy, { "aria-label": label });
    }, 2000);
  });
  return copy;
}

/** Turn a tree of `markdown.ts` into elements. */
function grow(tree: Tree, { text }: RowActions): Node | string {
  if (typeof tree == "string") return tree;
  const [name, attrs, ...children] = tree;
  const element = h(name as "p", attrs, ...children.map((child) => grow(child, { text } as RowActions)));
  return name == "pre" ? h("div.code", {}, copyButton(text("copy"), text("copied"), () => element.textContent!), element) : element;
}

/** Bring an answer's text up to date; only the blocks that changed are built again. */
export function paint(row: Row, content: string, live: boolean, actions: RowActions): void {
  const { text, sources } = row;
  const blocks = parse(content);
  blocks.forEach(([source, build], i) => {
    const open = live && i == blocks.length - 1;
    const key = source + (open ? "\n" : "");
    if (sources[i] == key) return;
    sources[i] = key;
    const built = grow(build(open), actions);
    const old = text.childNodes[i];
    if (old) old.replaceWith(built);
    else text.append(built);
  });
  sources.length = blocks.length;
  while (text.childNodes.length > blocks.length) text.lastChild!.remove();
}

/** Build the element of a message. */
export function createRow({ role }: Message, { text }: RowActions): Row {
  const said = h("div.text", { dir: "auto" });
  const bar = h("div.bar");
  const asked = role == "user";
  const node = h(asked ? "div.question" : "div.answer", {}, h("span.hidden", {}, text(asked ? "you" : "title") + ":"), said, bar);
  return { node, text: said, bar, sources: [], key: "" };
}

/** Draw what stands below a message: its buttons, its time, what went wrong. */
export function drawBar(row: Row, message: Message, last: boolean, live: boolean, failed: boolean, actions: RowActions): void {
  const { text, again, rate, ago } = actions;
  const { role, rating, status, reason, createdAt } = message;
  const key = [rating, status, reason, last, live, failed, message.id, message.sent, ago(createdAt)].join();
  if (row.key == key) return;
  row.key = key;

  const thumb = (value: "up" | "down", label: TextName) => {
    const element = button(value, text(label), "thumb", () => rate(message, value));
    set(element, { "aria-pressed": "" + (rating == value) });
    return element;
  };
  const retry = () => h("button.retry", { type: "button", click: () => again(message) }, text("retry"));
  const note = reason == "length" || reason == "stopped" ? reason : status == "partial" && !failed && "model_interrupted";
  const time = h("time", { datetime: new Date(createdAt).toISOString(), title: new Date(createdAt).toLocaleString() }, ago(createdAt));

  row.node.classList.toggle("last", last);
  if (live) row.bar.replaceChildren();
  else if (role == "user") row.bar.replaceChildren(...(message.sent || failed ? [] : [text("unsent") + " ", retry()]));
  else
    row.bar.replaceChildren(
      ...(note ? [h("p.note", {}, text(note))] : []),
      copyButton(text("copy"), text("copied"), () => message.content),
      ...(message.id ? [thumb("up", "good"), thumb("down", "bad")] : []),
      ...(last ? [button("again", text("again"), "again", () => again())] : []),
      time,
    );
}
