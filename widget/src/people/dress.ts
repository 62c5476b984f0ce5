/** How messages look that are not the assistant's. */

import { h } from "../elements";
import type { Message } from "../transcript";
import { sayEvent, type PeopleTexts } from "./texts";

const rename = (node: HTMLElement, name: string) => {
  if (node.className == name) return;
  node.className = name;
  node.setAttribute("part", name);
};

/** Dress a message's element, which the panel drew as an answer; `handed` is true while no assistant answers. */
export function dress(node: HTMLElement, { role, content, author, event, answeredBy, status }: Message, handed: boolean, texts: PeopleTexts): void {
  if (role == "system") {
    const said = sayEvent(texts, event, author);
    node.hidden = !said;
    if (node.className == "event") return;
    rename(node, "event");
    node.replaceChildren(h("p", { dir: "auto" }, said));
  } else if (role == "operator") {
    if (node.className != "answer") return;
    rename(node, "answer operator");
    const name = node.firstElementChild as HTMLElement;
    name.className = "name";
    name.dir = "auto";
    name.textContent = author || texts.someone;
  } else if (role == "assistant") {
    // What is streamed now is what the server says in a person's stead.
    const quiet = answeredBy == "person" || (handed && !status);
    rename(node, quiet ? "quiet" : "answer");
    if (quiet) node.hidden = !content;
  }
}
