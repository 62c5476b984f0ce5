/** A clock that tests can move: what the functions know as `Date`. */

const RealDate = globalThis.Date;

let offsetMs = 0;

class MovedDate extends RealDate {
  constructor(...given: [number]) {
    super(...((given.length as number) === 0 ? ([MovedDate.now()] as [number]) : given));
  }

  static override now(): number {
    return RealDate.now() + offsetMs;
  }
}

globalThis.Date = MovedDate as DateConstructor;

export function moveClock(ms: number): void {
  offsetMs += ms;
}

export function resetClock(): void {
  offsetMs = 0;
}
