/** The part that reads Markdown: a file of its own, fetched once there is an answer to draw. */

import { adopt } from "../elements";
import type { Kit, Reader } from "./contract";
import css from "./markdown.css";
import { Painter } from "./painter";

/** Begin; nothing was painted yet. */
export function start({ root, copyButton }: Kit): Reader {
  adopt(root, css);
  return new Painter(copyButton);
}
