/** Tells the page's tag manager what happens in the widget, and nothing of what is said. */

import { options, shell } from "./shell";
import { recall } from "./storage";
import { texts } from "./texts";

type Layer = { push?: (entry: object) => unknown };
type Layers = Record<string, Layer | undefined>;

// A conversation that a person had when the page was left is not handed over again.
const HANDOFF = "handoff";

/** Tell the array that the page's owner named; `on` is `dataLayer`. */
export function tellDataLayer(): void {
  const { host } = shell;
  const { dataLayer, datalayer = dataLayer } = options;
  if (!datalayer || /^(false|off)$/i.test(datalayer)) return;
  const name = /^(true|on)$/i.test(datalayer) ? "dataLayer" : datalayer;
  let handed = !!recall(HANDOFF);
  const tell = (what: string) => ((window as unknown as Layers)[name] ??= Array<object>()).push?.({ event: "perch_" + what, perch_assistant: texts.title });
  const hear = (event: string, listener: (detail: Record<string, string>) => unknown) =>
    host.addEventListener("perch:" + event, (heard) => listener((heard as CustomEvent).detail));
  // Where the page was loaded with it open, the focus is elsewhere: nobody opened it.
  hear("open", () => (host.getRootNode() as Document).activeElement == host && tell("opened"));
  hear("message", ({ role }) => tell(role == "user" ? "asked" : "answered"));
  hear("handoff", ({ state }) => {
    const before = handed;
    handed = state != "bot";
    if (handed && !before) tell("handed_over");
  });
}
