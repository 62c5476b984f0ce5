import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { Delivery, type Pace } from "../src/people/delivery";

/** A server that answers as it is told, and the clock beside it. */
class Desk {
  pace: Pace = "open";
  readonly waits: number[] = [];
  readonly heard: string[] = [];
  readonly signals: AbortSignal[] = [];
  #pending: [(found: string | undefined) => void, (thrown: unknown) => void][] = [];
  readonly delivery = new Delivery<string>({
    pace: () => this.pace,
    read: (wait, signal) => {
      this.waits.push(wait);
      this.signals.push(signal);
      return new Promise((done, fail) => this.#pending.push([done, fail]));
    },
    hear: (found) => this.heard.push(found),
  });

  async turn(pace: Pace): Promise<void> {
    this.pace = pace;
    this.delivery.wake();
    await settled();
  }

  async answer(found?: string): Promise<void> {
    this.#pending.shift()![0](found);
    await settled();
  }

  async fail(thrown: unknown): Promise<void> {
    this.#pending.shift()![1](thrown);
    await settled();
  }
}

const settled = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve();
};

const pass = async (ms: number) => {
  mock.timers.tick(ms);
  await settled();
};

const run = (name: string, body: (desk: Desk) => Promise<void>) =>
  test(name, async () => {
    mock.timers.enable({ apis: ["setTimeout", "Date"] });
    try {
      await body(new Desk());
    } finally {
      mock.timers.reset();
    }
  });

run("the assistant's conversation is never asked for", async (desk) => {
  await desk.turn("off");
  await pass(3_600_000);

  assert.deepEqual(desk.waits, []);
});

run("an open panel waits, and asks again as soon as something came", async (desk) => {
  await desk.turn("open");
  await desk.answer("one");
  await pass(25_000);
  await desk.answer();

  assert.deepEqual(desk.waits, [25, 25, 25]);
  assert.deepEqual(desk.heard, ["one"]);
});

run("a server that does not wait is asked each four seconds", async (desk) => {
  await desk.turn("open");
  await desk.answer();
  await pass(3999);
  assert.equal(desk.waits.length, 1);
  await pass(1);

  assert.equal(desk.waits.length, 2);
});

run("a closed panel asks at once, then each thirty seconds, and does not wait", async (desk) => {
  await desk.turn("closed");
  await desk.answer("one");
  await pass(29_999);
  assert.deepEqual(desk.waits, [0]);
  await pass(1);

  assert.deepEqual(desk.waits, [0, 0]);
});

run("closing ends the wait, and opening does not wait for it", async (desk) => {
  await desk.turn("open");
  await desk.turn("closed");
  assert.ok(desk.signals[0].aborted);
  await pass(1000);
  assert.deepEqual(desk.waits, [25]);
  await desk.turn("open");

  assert.deepEqual(desk.waits, [25, 25]);
  // What the first one brings is another's by now.
  await desk.answer("late");
  assert.deepEqual(desk.heard, []);
});

run("a hidden page asks for nothing, and once when it is seen again", async (desk) => {
  await desk.turn("closed");
  await desk.answer();
  await desk.turn("off");
  await pass(3_600_000);
  assert.deepEqual(desk.waits, [0]);
  await desk.turn("closed");

  assert.deepEqual(desk.waits, [0, 0]);
});

run("being woken for nothing asks for nothing", async (desk) => {
  await desk.turn("open");
  await desk.turn("open");

  assert.deepEqual(desk.waits, [25]);
});

run("errors are met with growing pauses up to a minute and a half, until one answer comes", async (desk) => {
  await desk.turn("open");
  for (const least of [1000, 2000, 4000, 8000, 16_000, 32_000, 60_000, 60_000]) {
    const before = desk.waits.length;
    await desk.fail({ code: "503" });
    await pass(least - 1);
    assert.equal(desk.waits.length, before, `${least}`);
    await pass(least / 2 + 1);
    assert.equal(desk.waits.length, before + 1, `${least}`);
  }
  await desk.answer("back");
  await desk.fail({ code: "503" });
  await pass(1500);

  assert.equal(desk.waits.length, 11);
});

run("a server that says how long is asked no sooner", async (desk) => {
  await desk.turn("open");
  await desk.fail({ code: "overloaded", wait: 40 });
  await pass(39_999);
  assert.equal(desk.waits.length, 1);
  await pass(20_001);

  assert.equal(desk.waits.length, 2);
});
