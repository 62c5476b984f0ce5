/** Links, where a visitor may follow them. */

import type { Tree } from "./contract";
import { unescape, type Reading, type Target } from "./references";
import { anchor } from "../anchor";

// A link holds no other link.
const unlink = (tree: Tree): Tree => {
  if (typeof tree == "string") return tree;
  const [name, props, ...children] = tree;
  return name == "a" ? ["span", {}, ...children] : [name, props, ...children.map(unlink)];
};

/**
 * A link, or only its words: other schemes run scripts, or open what nobody asked for.
 *
 * An answer with grounds links to their hosts alone: what it was told to link may be an attacker's.
 */
export function link([address, title = ""]: Target, shown: Tree[], { grounds }: Reading): Tree {
  try {
    // A browser would read a backslash as a slash.
    const { protocol, host, href } = new URL(address.replace(/\\/g, "%5C"), globalThis.document?.baseURI);
    if (grounds ? /^https?:$/.test(protocol) && grounds.hosts.has(host) : /^(https?|mailto|tel|sms|whatsapp):$/.test(protocol))
      return anchor(href, title, ...shown.map(unlink));
  } catch {
    // not an address at all
  }
  return ["span", {}, ...(grounds ? shown : shown.map(unlink))];
}

/** Of a run of signs, the part that is an address, as GFM has it: the sentence's own marks behind it are not. */
export function bareLink(run: string, reading: Reading): [address: string, tree?: Tree] {
  const mail = /^(?:mailto:)?[^/:]*@/i.test(run);
  let unopened = run.split(")").length - run.split("(").length;
  let end = run.length;
  // How many signs before the end belong to the sentence.
  const spare = (): number => {
    const sign = run[end - 1];
    if (sign == ";") return /&[a-z\d]+;$/i.exec(run.slice(Math.max(0, end - 33), end))?.[0].length ?? 1;
    return +(sign == ")" ? unopened-- > 0 : /[?!.,:*_~'|\\]/.test(sign) || (mail && sign == "/"));
  };
  for (let signs; (signs = spare()); ) end -= signs;
  const address = run.slice(0, end);
  const shown = unescape(address);
  if ((mail && /[-_]$/.test(run)) || /^(?:www\.|[a-z]+:(?:\/\/)?)$/i.test(address)) return [address];
  const scheme = /^www\./i.test(shown) ? "http://" : /^[a-z]+:/i.test(shown) ? "" : "mailto:";
  return [address, link([scheme + shown], [shown], reading)];
}
