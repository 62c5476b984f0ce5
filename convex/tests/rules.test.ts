/** What holds for every function. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";

const FUNCTIONS = new URL("../functions/", import.meta.url);

interface Registered {
  isPublic?: boolean;
  isInternal?: boolean;
  exportArgs: () => string;
  exportReturns: () => string;
}

const files = readdirSync(FUNCTIONS).filter((file) => file.endsWith(".ts"));
const modules = files.filter((file) => file !== "schema.ts" && file !== "crons.ts");
const registered = await Promise.all(
  modules.map(async (file) => {
    const module = (await import(new URL(file, FUNCTIONS).href)) as Record<string, Registered>;
    return Object.entries(module).map(([name, found]) => ({ path: `${file}:${name}`, found }));
  }),
);

for (const { path, found } of registered.flat()) {
  test(`${path} is internal: the deployment's URL alone calls nothing`, () => {
    assert.equal(found.isInternal, true);
    assert.notEqual(found.isPublic, true);
  });

  test(`${path} says what it takes and what it returns`, () => {
    const { type } = JSON.parse(found.exportArgs()) as { type: string };
    const returns = JSON.parse(found.exportReturns()) as { type: string } | null;

    assert.equal(type, "object");
    assert.ok(returns !== null && returns.type !== "any");
  });
}

test("the generated types know every module", () => {
  const api = readFileSync(new URL("_generated/api.d.ts", FUNCTIONS), "utf8");
  const plain = readdirSync(new URL("model/", FUNCTIONS)).map((file) => `model/${file}`);

  const expected = [...modules, "crons.ts", ...plain].map((file) => file.replace(/\.ts$/, ".js"));

  const known = [...api.matchAll(/from "\.\.\/(.+?)"/g)].map(([, file]) => file);
  assert.deepEqual(known.sort(), expected.sort());
});
