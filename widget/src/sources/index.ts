/** The part that shows sources: a file of its own, for the answers that have any. */

import { adopt } from "../elements";
import { Cited } from "./cited";
import { cite } from "./citations";
import type { Citing, Kit } from "./contract";
import css from "./sources.css";

/** Begin; nothing was drawn yet. */
export function start({ root, texts }: Kit): Citing {
  adopt(root, css);
  const cited = new Cited(texts);
  return { cite, show: (element, message) => cited.show(element, message) };
}
