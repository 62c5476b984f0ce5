/** Asks for what a person said: at once while the panel is open, now and then while it is closed, else not at all. */

/** How it is asked: the panel is open, or closed; or nobody is asked. */
export type Pace = "open" | "closed" | "off";

/** What it is done with. */
export interface Asker<T> {
  pace(): Pace;
  /** Ask for what came, waiting so many seconds for it; `undefined` where nothing did. Throws a `Problem`. */
  read(wait: number, signal: AbortSignal): Promise<T | undefined>;
  hear(found: T): void;
}

const WAIT_S = 25;
const CLOSED_MS = 30_000;
// A server that does not wait, for it has too many that do, is not asked all the time.
const HASTY_MS = 1000;
const UNWAITED_MS = 4000;
const MAX_PAUSE_MS = 60_000;

/** Pause; ends early with the signal. */
const rest = (ms: number, signal: AbortSignal): Promise<void> =>
  new Promise((done) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", () => (clearTimeout(timer), done()));
  });

export class Delivery<T> {
  readonly #asker: Asker<T>;
  #pace: Pace = "off";
  #abort = new AbortController();

  constructor(asker: Asker<T>) {
    this.#asker = asker;
  }

  /** Ask as it is right now: something changed that it depends on. */
  wake(): void {
    const former = this.#pace;
    this.#pace = this.#asker.pace();
    if (this.#pace == former) return;
    this.#abort.abort();
    this.#abort = new AbortController();
    // What came until it was closed has been shown.
    if (this.#pace != "off") void this.#run(this.#abort.signal, former == "open" ? CLOSED_MS : 0);
  }

  async #run(signal: AbortSignal, pause: number): Promise<void> {
    for (let failures = 0; ; ) {
      if (pause) await rest(pause, signal);
      if (signal.aborted) return;
      const open = this.#pace == "open";
      const began = Date.now();
      try {
        const found = await this.#asker.read(open ? WAIT_S : 0, signal);
        if (signal.aborted) return;
        failures = 0;
        if (found) this.#asker.hear(found);
        pause = !open ? CLOSED_MS : found || Date.now() - began > HASTY_MS ? 0 : UNWAITED_MS;
      } catch (thrown) {
        if (thrown instanceof Error) reportError(thrown); // ours, not the server's
        const asked = (Object(thrown).wait || 0) * 1000;
        // Not all at once, when a server is back.
        pause = Math.max(asked, Math.min(MAX_PAUSE_MS, HASTY_MS * 2 ** failures++)) * (1 + Math.random() / 2);
      }
    }
  }
}
