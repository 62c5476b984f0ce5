/** What a conversation shows of its messages, for the list to filter by. */
import type { Infer } from "convex/values";

import type { Doc } from "../_generated/dataModel.js";
import type { tally as tallyValidator } from "./validators.js";

type Tally = Infer<typeof tallyValidator>;
type Mark = keyof Tally;
type Marked = Pick<Doc<"messages">, "status" | "feedback">;

const SHOWN = ["up", "down", "partial", "error"] as const;
const NOTHING: Tally = { up: 0, down: 0, complete: 0, partial: 0, error: 0 };

/** The marks of one conversation, while a mutation changes its messages. */
export class Marks {
  #tally: Tally;

  constructor(tally: Tally | undefined) {
    this.#tally = tally ?? NOTHING;
  }

  /** Count `after` in place of `before`; `null` is a message that is not there. */
  replace(before: Marked | null, after: Marked | null): void {
    const tally = { ...this.#tally };
    for (const mark of marksOf(before)) {
      tally[mark] = Math.max(0, tally[mark] - 1);
    }
    for (const mark of marksOf(after)) {
      tally[mark] += 1;
    }
    this.#tally = tally;
  }

  /** The fields to store with the conversation. */
  fields() {
    const tally = this.#tally;
    return {
      tally,
      hasUp: tally.up > 0,
      hasDown: tally.down > 0,
      hasPartial: tally.partial > 0,
      hasError: tally.error > 0,
    };
  }
}

/** The marks that a list shows of a conversation. */
export function marksShown({
  hasUp,
  hasDown,
  hasPartial,
  hasError,
}: Pick<Doc<"conversations">, "hasUp" | "hasDown" | "hasPartial" | "hasError">) {
  const shown = { up: hasUp, down: hasDown, partial: hasPartial, error: hasError };
  return SHOWN.filter((mark) => shown[mark] === true);
}

function marksOf(message: Marked | null): Mark[] {
  const marks: (Mark | undefined)[] = [message?.status, message?.feedback?.rating];
  return marks.filter((mark) => mark !== undefined);
}
