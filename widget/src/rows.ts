/** One message as it stands in the log. */

import type { Answers, Painting } from "./answers";
import { copyButton } from "./copying";
import { button, h } from "./dom";
import { locale, texts, type TextName } from "./texts";
import type { Message } from "./transcript";

/** What a visitor can do with a message. */
export interface RowActions {
  again: () => void;
  rate: (message: Message, rating: string) => void;
}

/** A message's elements. */
export interface Row extends Painting {
  node: HTMLElement;
  draw: (last: boolean, idle: boolean) => void;
}

const times = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });

const ago = (time: number): string => {
  const minutes = (time - Date.now()) / 60_000;
  const [size, unit]: [number, Intl.RelativeTimeFormatUnit] =
    minutes > -1 ? [1 / 0, "second"] : minutes > -60 ? [1, "minute"] : minutes > -1440 ? [60, "hour"] : [1440, "day"];
  return times.format(Math.trunc(minutes / size), unit);
};

/** Build the element of a message. */
export function createRow(message: Message, { again, rate }: RowActions, answers: Answers): Row {
  const { role, createdAt } = message;
  const asked = role == "user";
  const text = h("div.text", { dir: "auto" });
  const note = h("p.note");
  const time = h("time");
  const redo = button("again", again);
  const thumbs = ["up", "down"].map((rating) => button(rating as TextName, () => rate(message, rating)));
  const bar = h("div.bar", {}, note, ...(asked ? [] : [copyButton(() => message.content), ...thumbs, redo, time]));
  const cited = h("div.cited");
  const draw = (last: boolean, idle: boolean) => {
    answers.cite(cited, message);
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
  return { node: h(asked ? "div.question" : "div.answer", {}, h("span.spoken", {}, asked ? texts.you : texts.title), text, cited, bar), text, draw };
}
