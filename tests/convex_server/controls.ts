/** What tests ask of the server: to forget, to fail, to move its clock, to show what it did. */
import { moveClock, resetClock } from "./clock.ts";
import type { Deployment } from "./deployment.ts";
import type { Fault, Faults } from "./faults.ts";

export interface Control {
  /** Forget all that is stored and all that was asked. */
  reset?: true;
  /** Refuse connections to the API until a reset. */
  refuse?: true;
  fault?: Fault;
  /** Forget the faults, and open the API's door again. */
  heal?: true;
  advanceMs?: number;
  /** Convex variables to set, or with `null` to unset. */
  env?: Record<string, string | null>;
  /** Wait for what the functions scheduled. */
  settle?: true;
  /** Documents to store, by table; the answer is their ids. */
  insert?: Record<string, Record<string, unknown>[]>;
  /** A table to show. */
  dump?: string;
  /** Show the calls since the last reset, with what each read and wrote. */
  calls?: true;
}

/** The API's door. */
export interface Door {
  open: () => Promise<void>;
  shut: () => Promise<void>;
}

export class Controls {
  readonly #deployment: Deployment;
  readonly #faults: Faults;
  readonly #door: Door;

  constructor(deployment: Deployment, faults: Faults, door: Door) {
    this.#deployment = deployment;
    this.#faults = faults;
    this.#door = door;
  }

  async obey(control: Control): Promise<unknown> {
    if (control.reset === true) {
      await this.#reset();
    }
    if (control.heal === true) {
      this.#faults.clear();
      await this.#door.open();
    }
    if (control.refuse === true) {
      await this.#door.shut();
    }
    if (control.fault !== undefined) {
      this.#faults.add(control.fault);
    }
    moveClock(control.advanceMs ?? 0);
    setVariables(control.env ?? {});
    if (control.settle === true) {
      await this.#deployment.settle();
    }
    return await this.#show(control);
  }

  async #reset(): Promise<void> {
    this.#deployment.reset();
    this.#faults.clear();
    resetClock();
    await this.#door.open();
  }

  async #show({ insert, dump, calls }: Control): Promise<unknown> {
    if (insert !== undefined) {
      return await this.#deployment.insert(insert);
    }
    if (dump !== undefined) {
      return await this.#deployment.dump(dump);
    }
    return calls === true ? this.#deployment.calls : null;
  }
}

function setVariables(variables: Record<string, string | null>): void {
  for (const [name, value] of Object.entries(variables)) {
    if (value === null) {
      Reflect.deleteProperty(process.env, name);
    } else {
      process.env[name] = value;
    }
  }
}
