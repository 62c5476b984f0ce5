/** Links, where a visitor may follow them. */

import type { Tree } from "./dom";
import { unescape, type Target } from "./references";

/** A link, or only its words: other schemes run scripts, or open what nobody asked for. */
export function link([address, title]: Target, shown: Tree[]): Tree {
  try {
    // A browser would read a backslash as a slash.
    const { protocol, href } = new URL(address.replace(/\\/g, "%5C"), globalThis.document?.baseURI);
    if (/^(https?|mailto|tel|sms|whatsapp):$/.test(protocol))
      return ["a", { href, title: title || "", target: "_blank", rel: "noopener noreferrer" }, ...shown];
  } catch {
    // not an address at all
  }
  return ["span", {}, ...shown];
}

/** Of a run of signs, the part that is an address, as GFM has it: the sentence's own marks behind it are not. */
export function bareLink(run: string): [address: string, tree?: Tree] {
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
  return [address, link([scheme + shown], [shown])];
}
