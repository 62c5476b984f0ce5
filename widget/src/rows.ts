/** One message as it stands in the log. */

import { createCited } from "./cited";
import { copy } from "./copying";
import { button, h, icon, type Tree } from "./dom";
import { parse } from "./markdown";
import { shell } from "./shell";
import { toGrounds } from "./sources";
import { locale, texts, type TextName } from "./texts";
import type { Message } from "./transcript";

/** What a visitor can do with a message. */
export interface RowActions {
  again: () => void;
  rate: (message: Message, rating: string) => void;
}

/** A message's elements, and what the blocks that its text shows were built from. */
export interface Row {
  node: HTMLElement;
  text: HTMLElement;
  blocks: string[];
  /** What was painted last, and the sources that were known then. */
  painted?: string;
  known?: string;
  draw: (last: boolean, idle: boolean) => void;
}

const times = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

const ago = (time: number): string => {
  const minutes = (time - Date.now()) / 60_000;
  const [size, unit]: [number, Intl.RelativeTimeFormatUnit] =
    minutes > -1 ? [1 / 0, "second"] : minutes > -60 ? [1, "minute"] : minutes > -1440 ? [60, "hour"] : [1440, "day"];
  return times.format(Math.trunc(minutes / size), unit);
};

// Copies, and shows for a moment that it did.
const copyButton = (source: () => string | null): HTMLElement => {
  const show = (name: TextName) => {
    pressed.title = texts[name];
    pressed.replaceChildren(icon(name));
  };
  const pressed = button("copy", async () => {
    if (!(await copy(source()!, pressed))) return;
    show("copied");
    setTimeout(show, 2000, "copy");
  });
  return pressed;
};

const grow = (tree: Tree): Node => {
  if (typeof tree == "string") return new Text(tree);
  const [name, props, ...children] = tree;
  const element = h(name as "p", props, ...children.map(grow));
  return name == "pre" ? h("div.code", {}, element, copyButton(() => element.textContent)) : element;
};

// Text is changed from where it differs, so that a selection in it holds.
const patchText = (node: Text, text: string): void => {
  if (text.startsWith(node.data)) {
    if (text != node.data) node.appendData(text.slice(node.length));
    return;
  }
  let same = 0;
  while (node.data[same] == text[same]) same++;
  node.replaceData(same, node.length, text.slice(same));
};

// Makes a node what the tree says; what is right already is not touched.
const patch = (node: Node, tree: Tree): void => {
  const replace = () => node.parentNode!.replaceChild(grow(tree), node);
  if (typeof tree == "string") return void (node instanceof Text ? patchText(node, tree) : replace());
  const [name, props, ...children] = tree;
  const element = (name == "pre" ? node.firstChild : node) as HTMLElement;
  const [tag, part] = name.split(".");
  if (element?.localName != tag || (part && element.className != part)) return void replace();
  for (const [key, value] of Object.entries(props)) if (element[key as "title"] != value) Object.assign(element, { [key]: value });
  patchAll(element, children);
};

const patchAll = (parent: Element, trees: Tree[]): void => {
  const { childNodes } = parent;
  trees.forEach((tree, i) => (childNodes[i] ? patch(childNodes[i], tree) : parent.append(grow(tree))));
  while (childNodes[trees.length]) parent.lastChild!.remove();
};

/** Bring an answer's text up to date: only blocks that changed are looked at, and only what changed in them is touched. */
export function paint(row: Row, { content, sources }: Message, live: boolean): void {
  const known = JSON.stringify(sources);
  if (row.painted == live + content && row.known == known) return;
  // A number is read anew when there is another list.
  if (row.known != known) row.blocks = [];
  row.painted = live + content;
  row.known = known;
  const { text } = row;
  const { childNodes } = text;
  const blocks = parse(content, live, sources && toGrounds(sources, location.href, shell.base));
  blocks.forEach(([source, build], i) => {
    if (row.blocks[i] != source) patch(childNodes[i] || text.appendChild(h("p")), build());
  });
  while (childNodes[blocks.length]) text.lastChild!.remove();
  row.blocks = blocks.map(([source]) => source);
}

/** Build the element of a message. */
export function createRow(message: Message, { again, rate }: RowActions): Row {
  const { role, createdAt } = message;
  const asked = role == "user";
  const text = h("div.text", { dir: "auto" });
  const note = h("p.note");
  const time = h("time");
  const redo = button("again", again);
  const thumbs = ["up", "down"].map((rating) => button(rating as TextName, () => rate(message, rating)));
  const bar = h("div.bar", {}, note, ...(asked ? [] : [copyButton(() => message.content), ...thumbs, redo, time]));
  const [cited, drawCited] = createCited();
  const draw = (last: boolean, idle: boolean) => {
    drawCited(message);
    const reason = asked ? !message.sent && "unsent" : message.reason;
    note.textContent = texts[reason as TextName] || "";
    time.textContent = ago(createdAt);
    redo.hidden = !last;
    bar.hidden = !idle;
    for (const thumb of thumbs) {
      thumb.hidden = !message._id;
      thumb.ariaPressed = `${thumb.className == message.feedback?.rating}`;
    }
  };
  return { node: h(asked ? "div.question" : "div.answer", {}, h("span.spoken", {}, asked ? texts.you : texts.title), text, cited, bar), text, blocks: [], draw };
}
