/** What the browser remembers of a conversation with a person, for all its tabs. */

export type State = "bot" | "waiting" | "human";

export interface Standing {
  state: State;
  /** The number of the newest event that was shown to the visitor. */
  seen: number;
  /** When somebody will be back, in ms since the Unix epoch; 0 where nothing was said of it. */
  backAt: number;
  /** They were asked for an address and did not want to give one. */
  skipped: boolean;
}

/** Read what servers call a state; what this edition does not know is the assistant's. */
export const toState = (value: unknown): State => (/^(waiting|human)$/.test(value as string) ? (value as State) : "bot");

/** Read what is remembered. */
export function toStanding(value = ""): Standing {
  const [state, seen, backAt, skipped] = value.split(" ");
  return { state: toState(state), seen: +seen || 0, backAt: +backAt || 0, skipped: !!skipped };
}

/** Write it; nothing is remembered while the assistant answers. */
export const toValue = ({ state, seen, backAt, skipped }: Standing): string =>
  state == "bot" ? "" : `${state} ${seen} ${backAt}${skipped ? " skipped" : ""}`;
