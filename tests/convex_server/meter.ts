/** Counts what each call reads and writes, below the functions. */
import { AsyncLocalStorage } from "node:async_hooks";

export interface Usage {
  documentsRead: number;
  documentsWritten: number;
}

interface Syscalls {
  syscall: (op: string, args: string) => string;
  asyncSyscall: (op: string, args: string) => Promise<string>;
  jsSyscall: (op: string, args: unknown) => Promise<unknown>;
}

const MAX_DOCUMENT_BYTES = 1024 * 1024;

const metered = new AsyncLocalStorage<Usage>();

export async function meter<T>(usage: Usage, run: () => Promise<T>): Promise<T> {
  return await metered.run(usage, run);
}

/** Put the meter between the functions and convex-test; once is enough. */
export function installMeter(): void {
  const runtime = globalThis as unknown as { Convex: Syscalls };
  const inner = runtime.Convex;
  runtime.Convex = {
    syscall: (op, args) => inner.syscall(op, args),
    jsSyscall: async (op, args) => await inner.jsSyscall(op, args),
    asyncSyscall: async (op, args) => {
      if (op === "1.0/schedule") {
        // What is scheduled is a call of its own.
        return await metered.exit(async () => await inner.asyncSyscall(op, args));
      }
      const result = await inner.asyncSyscall(op, args);
      count(op, result);
      await limitDocument(inner, op, args);
      return result;
    },
  };
}

function count(op: string, result: string): void {
  const usage = metered.getStore();
  if (usage === undefined) {
    return;
  }
  usage.documentsRead += documentsIn(op, result);
  if (["1.0/insert", "1.0/shallowMerge", "1.0/replace", "1.0/remove"].includes(op)) {
    usage.documentsWritten += 1;
  }
}

function documentsIn(op: string, result: string): number {
  switch (op) {
    case "1.0/get":
      return result === "null" ? 0 : 1;
    case "1.0/queryStreamNext":
      return (JSON.parse(result) as { done: boolean }).done ? 0 : 1;
    case "1.0/queryPage":
      return (JSON.parse(result) as { page: unknown[] }).page.length;
    default:
      return 0;
  }
}

/** Refuse what Convex refuses and convex-test does not: documents above 1 MiB. */
async function limitDocument({ asyncSyscall }: Syscalls, op: string, args: string): Promise<void> {
  let document = args;
  if (op === "1.0/shallowMerge") {
    const { table, id } = JSON.parse(args) as { table: string; id: string };
    document = await asyncSyscall("1.0/get", JSON.stringify({ table, id }));
  } else if (op !== "1.0/insert" && op !== "1.0/replace") {
    return;
  }
  if (Buffer.byteLength(document) > MAX_DOCUMENT_BYTES) {
    throw new Error("Value is too large (maximum size 1 MiB)");
  }
}
