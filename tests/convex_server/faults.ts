/** What goes wrong on request. */
import type { JSONValue } from "convex/values";

export const FAULTS = [
  "conflict", // 503 after Convex's own retries; nothing is applied
  "tooMany", // 429; nothing is applied
  "badKey", // 403
  "notPermitted", // 403
  "internal", // 500; nothing is applied
  "garbage", // 200, but it is not JSON
  "undeployed", // the function does not exist
  "crash", // the function throws; nothing is applied
  "answer", // the function returns `value`, and is not run
  "reset", // the connection is reset before the call
  "lost", // the call is applied, and the connection is reset instead of an answer
  "delay", // the answer takes `ms` longer
  "hang", // there is never an answer
] as const;

export type FaultKind = (typeof FAULTS)[number];

export interface Fault {
  kind: FaultKind;
  /** The only function it strikes; any, where it is not given. */
  path?: string;
  /** How many calls it strikes; absent: every one until a reset. */
  times?: number;
  ms?: number;
  value?: JSONValue;
}

export class Faults {
  #waiting: Fault[] = [];

  add(fault: Fault): void {
    if (!FAULTS.includes(fault.kind)) {
      throw new Error(`no such fault: ${fault.kind}`);
    }
    this.#waiting.push({ ...fault });
  }

  clear(): void {
    this.#waiting = [];
  }

  /** Take the fault that strikes a call of `path`, if one does. */
  strike(path: string): Fault | null {
    const fault = this.#waiting.find((waiting) => (waiting.path ?? path) === path);
    if (fault === undefined) {
      return null;
    }
    if (fault.times !== undefined) {
      fault.times -= 1;
    }
    this.#waiting = this.#waiting.filter(({ times }) => times === undefined || times > 0);
    return fault;
  }
}
