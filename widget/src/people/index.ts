/** The part where a person answers: the panel's third file, for those who want one. */

import { adopt, h } from "../elements";
import type { Kit, People } from "./contract";
import { Handoff } from "./handoff";
import css from "./people.css";

/** Begin; the panel is drawn, and the conversation perhaps not read yet. */
export function start(kit: Kit): People {
  adopt(kit.shell.host.shadowRoot!, css);
  const spoken = h("div.spoken", { role: "status" });
  kit.shell.dialog.append(spoken);
  return new Handoff(kit, (sentence) => (spoken.textContent = sentence));
}
