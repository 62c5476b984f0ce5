/** Draws trees: what stands already and is right is not touched. */

import { h } from "../elements";
import type { Grounds, Kit, Reader, Tree } from "./contract";
import { parse } from "./trees";

/** What an element's blocks were built from, and what they were read with. */
interface Painted {
  blocks: string[];
  grounds?: Grounds;
}

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

export class Painter implements Reader {
  readonly #copyButton: Kit["copyButton"];
  readonly #painted = new WeakMap<HTMLElement, Painted>();

  constructor(copyButton: Kit["copyButton"]) {
    this.#copyButton = copyButton;
  }

  paint(element: HTMLElement, content: string, live: boolean, grounds?: Grounds): void {
    const { childNodes } = element;
    const before = this.#painted.get(element);
    // A number is read anew when there is another list.
    const known = before && before.grounds == grounds ? before.blocks : [];
    // Until then it was plain text.
    if (!before) element.replaceChildren();
    const blocks = parse(content, live, grounds);
    blocks.forEach(([source, build], i) => {
      if (known[i] != source) this.#patch(childNodes[i] || element.appendChild(h("p")), build());
    });
    while (childNodes[blocks.length]) element.lastChild!.remove();
    this.#painted.set(element, { blocks: blocks.map(([source]) => source), grounds });
  }

  #grow = (tree: Tree): Node => {
    if (typeof tree == "string") return new Text(tree);
    const [name, props, ...children] = tree;
    const element = h(name as "p", props, ...children.map(this.#grow));
    return name == "pre" ? h("div.code", {}, element, this.#copyButton(() => element.textContent)) : element;
  };

  // Makes a node what the tree says.
  #patch(node: Node, tree: Tree): void {
    const replace = () => node.parentNode!.replaceChild(this.#grow(tree), node);
    if (typeof tree == "string") return void (node instanceof Text ? patchText(node, tree) : replace());
    const [name, props, ...children] = tree;
    const element = (name == "pre" ? node.firstChild : node) as HTMLElement;
    const [tag, part] = name.split(".");
    if (element?.localName != tag || (part && element.className != part)) return void replace();
    for (const [key, value] of Object.entries(props)) if (element[key as "title"] != value) Object.assign(element, { [key]: value });
    const { childNodes } = element;
    children.forEach((child, i) => (childNodes[i] ? this.#patch(childNodes[i], child) : element.append(this.#grow(child))));
    while (childNodes[children.length]) element.lastChild!.remove();
  }
}
