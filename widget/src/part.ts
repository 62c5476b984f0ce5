/** A file of the panel's own, fetched once it is wanted. */

import { shell } from "./shell";

// Nobody asks for what did not come for so long, unless the visitor does.
const PAUSE_MS = 5000;

export class Part<T> {
  /** What it brought, once it is there. */
  here?: T;
  readonly #file: string;
  readonly #kit: () => object;
  readonly #arrived: () => void;
  #coming?: Promise<T>;
  #tries = 0;
  #next = 0;

  constructor(file: string, kit: () => object, arrived = () => {}) {
    this.#file = file;
    this.#kit = kit;
    this.#arrived = arrived;
  }

  /** Fetch it. A browser may remember that an address failed: each try has another. */
  load(): Promise<T> {
    return (this.#coming ??= import(`${shell.files}${this.#file}?${this.#tries++}`).then(
      ({ start }) => {
        this.here = start(this.#kit()) as T;
        queueMicrotask(this.#arrived);
        return this.here;
      },
      (thrown) => {
        this.#coming = undefined;
        this.#next = Date.now() + PAUSE_MS;
        throw thrown;
      },
    ));
  }

  /** Fetch it where nothing depends on it; the promise ends either way. */
  async want(): Promise<void> {
    if (!this.here && Date.now() > this.#next) await this.load().catch(() => {});
  }
}
