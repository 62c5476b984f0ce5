/** Documents and the tombstones of those that are forgotten: written here, read by pages.ts. */
import type { Infer } from "convex/values";

import { internal } from "../_generated/api.js";
import type { Doc, Id } from "../_generated/dataModel.js";
import type { MutationCtx, QueryCtx } from "../_generated/server.js";
import { readVersion, setVersion } from "./knowledge.js";
import type { newDocument } from "./validators.js";

type NewDocument = Infer<typeof newDocument>;
type Stored = Doc<"documents">;

// app/storage/document_store.py says the same.
const TOMBSTONE_MS = 30 * 24 * 60 * 60 * 1000;
const BURY_AT_ONCE = 100;
// One transaction reads 16 MiB, and each may take one.
const DROP_AT_ONCE = 8;
// What may differ while the hash, which is of title and sections, is the same.
const BESIDE_HASH = ["kind", "url", "language", "isPinned"] as const;

/** Store documents in place of those of the same keys; returns the version now. */
export async function putDocuments(
  ctx: MutationCtx,
  assistant: string,
  documents: NewDocument[],
): Promise<number> {
  await bury(ctx);
  const version = await readVersion(ctx, assistant);
  const dropped: Id<"sections">[] = [];
  let changed = false;
  for (const document of documents) {
    const stored = await findDocument(ctx, assistant, document.key);
    if (isSame(stored, document)) {
      changed = (await noteSeen(ctx, stored, document, version + 1)) || changed;
    } else {
      await store(ctx, assistant, stored, document, version + 1);
      dropped.push(...sectionsOf(stored));
      changed = true;
    }
  }
  await dropSections(ctx, dropped);
  return await raised(ctx, assistant, version, changed);
}

/** Leave tombstones in the place of documents; returns the version now. */
export async function forgetDocuments(
  ctx: MutationCtx,
  assistant: string,
  keys: string[],
): Promise<number> {
  await bury(ctx);
  const version = await readVersion(ctx, assistant);
  const dropped: Id<"sections">[] = [];
  let changed = false;
  for (const key of keys) {
    const stored = await findDocument(ctx, assistant, key);
    if (stored !== null && !stored.isForgotten) {
      await ctx.db.replace("documents", stored._id, tombstone(stored, version + 1));
      dropped.push(...sectionsOf(stored));
      changed = true;
    }
  }
  await dropSections(ctx, dropped);
  return await raised(ctx, assistant, version, changed);
}

/** Delete the sections of what changed or was forgotten, and come again for more. */
export async function dropSections(ctx: MutationCtx, ids: Id<"sections">[]): Promise<void> {
  for (const id of ids.slice(0, DROP_AT_ONCE)) {
    await ctx.db.delete("sections", id);
  }
  if (ids.length > DROP_AT_ONCE) {
    const left = ids.slice(DROP_AT_ONCE);
    await ctx.scheduler.runAfter(0, internal.documents.drop, { ids: left });
  }
}

export async function findDocument(
  ctx: QueryCtx,
  assistant: string,
  key: string,
): Promise<Stored | null> {
  return await ctx.db
    .query("documents")
    .withIndex("by_assistant_key", (q) => q.eq("assistant", assistant).eq("key", key))
    .first();
}

/** A tombstone has no hash, and no hash is like none. */
function isSame(stored: Stored | null, { hash }: NewDocument): stored is Stored {
  return stored !== null && hash !== "" && stored.hash === hash;
}

/** Note what is beside the content; returns whether the version must rise. */
async function noteSeen(
  ctx: MutationCtx,
  stored: Stored,
  document: NewDocument,
  version: number,
): Promise<boolean> {
  const { kind, url, language, isPinned, learntAt, problem, missing } = document;
  const changed = BESIDE_HASH.some((name) => stored[name] !== document[name]);
  await ctx.db.patch("documents", stored._id, {
    ...{ kind, url, language, isPinned, learntAt, problem, missing },
    ...(changed ? { version, changedAt: Date.now() } : {}),
  });
  return changed;
}

async function store(
  ctx: MutationCtx,
  assistant: string,
  stored: Stored | null,
  { sections, ...fields }: NewDocument,
  version: number,
): Promise<void> {
  const sectionsId = await ctx.db.insert("sections", { sections });
  const row = { ...fields, assistant, version, changedAt: Date.now(), isForgotten: false, sectionsId };
  if (stored === null) {
    await ctx.db.insert("documents", row);
  } else {
    await ctx.db.replace("documents", stored._id, row);
  }
}

function tombstone({ assistant, key, kind, learntAt }: Stored, version: number) {
  return {
    ...{ assistant, key, kind, learntAt, version },
    ...{ title: "", isPinned: false, hash: "", missing: 0, bytes: 0 },
    changedAt: Date.now(),
    isForgotten: true,
  };
}

function sectionsOf(stored: Stored | null): Id<"sections">[] {
  return stored?.sectionsId === undefined ? [] : [stored.sectionsId];
}

async function raised(
  ctx: MutationCtx,
  assistant: string,
  version: number,
  changed: boolean,
): Promise<number> {
  if (!changed) {
    return version;
  }
  await setVersion(ctx, assistant, version + 1);
  return version + 1;
}

/** A few with each write, so that tombstones cannot grow without end. */
async function bury(ctx: MutationCtx): Promise<void> {
  const old = await ctx.db
    .query("documents")
    .withIndex("by_is_forgotten_changed_at", (q) =>
      q.eq("isForgotten", true).lt("changedAt", Date.now() - TOMBSTONE_MS),
    )
    .take(BURY_AT_ONCE);
  for (const { _id } of old) {
    await ctx.db.delete("documents", _id);
  }
}
