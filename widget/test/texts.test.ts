import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";

declare const ROOT: string;

// The texts are those of a launcher; this one has no options.
Object.assign(globalThis, { customElements: { get: () => ({ widgets: { get: () => ({ options: {}, locale: "en" }) } }) } });
const { ENGLISH } = await import("../src/texts");
const { ENGLISH: OF_PEOPLE } = await import("../src/people/texts");

for (const name of readdirSync(ROOT + "widget/locales"))
  test(`${name} says everything that English says`, () => {
    const pack = JSON.parse(readFileSync(ROOT + "widget/locales/" + name, "utf8")) as Record<string, string>;

    assert.deepEqual(
      Object.keys({ ...ENGLISH, ...OF_PEOPLE }).filter((key) => !pack[key]?.trim()),
      [],
    );
    assert.match(pack.taken, /\{name\}/);
    assert.match(pack.withPerson, /\{name\}/);
    assert.match(pack.backAt, /\{time\}/);
  });
