/**
 * Marks of where the next page begins. They are ours rather than Convex's, so
 * that a wrong one is told from a failure.
 */
import { ConvexError } from "convex/values";

/** A place in the list: its order is that of the index. */
export interface ListPlace {
  updatedAt: number;
  creationTime: number;
}

/** A place in a thread; `null` is the position of the original's messages. */
export interface ThreadPlace {
  position: number | null;
  creationTime: number;
}

/** A place among the changes of documents. */
export interface ChangePlace {
  version: number;
  creationTime: number;
}

export type Order = "asc" | "desc";

const LIST = /^c(\d{1,16}(?:\.\d{1,16})?)_(\d{1,16}(?:\.\d{1,16})?)$/;
const CHANGE = /^v(\d{1,15})_(\d{1,16}(?:\.\d{1,16})?)$/;
const THREAD = { asc: "t", desc: "s" } as const;
const PLACE = /^(\d{1,15}|~)_(\d{1,16}(?:\.\d{1,16})?)$/;

export function toListCursor(place: ListPlace): string {
  return `c${place.updatedAt}_${place.creationTime}`;
}

export function fromListCursor(cursor: string): ListPlace {
  const [, updatedAt, creationTime] = LIST.exec(cursor) ?? refuse();
  return { updatedAt: Number(updatedAt), creationTime: Number(creationTime) };
}

export function toThreadCursor(order: Order, place: ThreadPlace): string {
  return `${THREAD[order]}${place.position ?? "~"}_${place.creationTime}`;
}

export function fromThreadCursor(order: Order, cursor: string): ThreadPlace {
  const ours = cursor.startsWith(THREAD[order]) ? PLACE.exec(cursor.slice(1)) : null;
  const [, position, creationTime] = ours ?? refuse();
  return {
    position: position === "~" ? null : Number(position),
    creationTime: Number(creationTime),
  };
}

export function toChangeCursor({ version, creationTime }: ChangePlace): string {
  return `v${version}_${creationTime}`;
}

export function fromChangeCursor(cursor: string): ChangePlace {
  const [, version, creationTime] = CHANGE.exec(cursor) ?? refuse();
  return { version: Number(version), creationTime: Number(creationTime) };
}

export function refuse(): never {
  throw new ConvexError({ code: "invalid_cursor" });
}
