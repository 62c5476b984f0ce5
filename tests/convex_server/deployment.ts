/** One Convex deployment: the real functions on convex-test's database in memory. */
import { ConvexError, convexToJson, type JSONValue, jsonToConvex, type Value } from "convex/values";
import { makeFunctionReference } from "convex/server";
import { convexTest } from "convex-test";

import { modules, schema } from "convex-functions";

import { installMeter, meter, type Usage } from "./meter.ts";

export type Kind = "query" | "mutation";

export interface Call {
  path: string;
  usage: Usage;
}

/** What a function's registration says of it. */
interface Registered {
  isPublic?: boolean;
  isInternal?: boolean;
  isQuery?: boolean;
  isMutation?: boolean;
}

export type Outcome = { value: JSONValue } | { errorData: JSONValue } | { error: string };

type Documents = Record<string, Record<string, unknown>[]>;

const create = () => convexTest({ schema, modules, transactionLimits: true });

export class Deployment {
  #database = create();
  calls: Call[] = [];

  constructor() {
    installMeter();
  }

  /** Forget everything that was stored. */
  reset(): void {
    this.#database = create();
    this.calls = [];
  }

  /** Run a function as Convex does; internal ones only for who may. */
  async call(kind: Kind, path: string, args: JSONValue, mayInternal: boolean): Promise<Outcome> {
    const registered = await findFunction(path);
    const matches = kind === "query" ? registered?.isQuery : registered?.isMutation;
    if (matches !== true || !(registered?.isPublic === true || mayInternal)) {
      return { error: `Could not find public function for '${path}'` };
    }
    const usage = { documentsRead: 0, documentsWritten: 0 };
    this.calls.push({ path, usage });
    try {
      const value = await meter(usage, async () => await this.#run(kind, path, args));
      return { value: value === undefined ? null : convexToJson(value) };
    } catch (error) {
      return error instanceof ConvexError
        ? { errorData: convexToJson(error.data as Value) }
        : { error: String(error) };
    }
  }

  /** Store documents as they are given; returns their ids. */
  async insert(documents: Documents): Promise<string[]> {
    return await this.#database.run(async ({ db }) => {
      const ids: string[] = [];
      for (const [table, rows] of Object.entries(documents)) {
        for (const row of rows) {
          ids.push(await db.insert(table, row as never));
        }
      }
      return ids;
    });
  }

  /** Everything in a table, in order of creation. */
  async dump(table: string): Promise<unknown[]> {
    return await this.#database.run(async ({ db }) => await db.query(table).collect());
  }

  /** Wait until nothing that a function scheduled is left to run. */
  async settle(): Promise<void> {
    const isOpen = (job: { state: { kind: string } }) =>
      job.state.kind === "pending" || job.state.kind === "inProgress";
    for (;;) {
      const jobs = await this.#database.run(
        async ({ db }) => await db.system.query("_scheduled_functions").collect(),
      );
      if (!jobs.some(isOpen)) {
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  async #run(kind: Kind, path: string, args: JSONValue): Promise<Value | undefined> {
    const given = jsonToConvex(args) as Record<string, Value>;
    const database = this.#database;
    return kind === "query"
      ? ((await database.query(makeFunctionReference<"query">(path), given)) as Value)
      : ((await database.mutation(makeFunctionReference<"mutation">(path), given)) as Value);
  }
}

async function findFunction(path: string): Promise<Registered | null> {
  const [module = "", name = "default"] = path.replace(".js:", ":").split(":");
  const found = await modules[`/convex/${module}.ts`]?.();
  const registered = found?.[name];
  return typeof registered === "function" ? (registered as Registered) : null;
}
