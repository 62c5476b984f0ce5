/** Documents by pages: what changed, and what there is. */
import type { Infer } from "convex/values";

import type { Doc } from "../_generated/dataModel.js";
import type { QueryCtx } from "../_generated/server.js";
import {
  type ChangePlace,
  fromChangeCursor,
  refuse,
  toChangeCursor,
} from "./cursors.js";
import { findDocument } from "./documents.js";
import { readVersion } from "./knowledge.js";
import type { document as documentValidator, documentPage } from "./validators.js";

type Stored = Doc<"documents">;
type Shown = Infer<typeof documentValidator>;
type Page = Infer<typeof documentPage>;

// app/storage/document_store.py says the same.
const MAX_PAGE_BYTES = 4_000_000;
const MAX_PAGE_DOCUMENTS = 500;

/** Read what changed after a version, in order of versions, tombstones included. */
export async function documentsSince(
  ctx: QueryCtx,
  assistant: string,
  version: number,
  cursor: string | null,
): Promise<Page> {
  const after = cursor === null ? { version, creationTime: Infinity } : fromChangeCursor(cursor);
  const found = await readChanged(ctx, assistant, after);
  const page: Stored[] = [];
  let bytes = 0;
  for (const document of found) {
    bytes += document.bytes;
    const isFull = bytes > MAX_PAGE_BYTES || page.length === MAX_PAGE_DOCUMENTS;
    if (page.length > 0 && isFull) {
      break;
    }
    page.push(document);
  }
  const last = page.at(-1);
  const place = last && { version: last.version, creationTime: last._creationTime };
  return {
    documents: await Promise.all(page.map(async (each) => await withSections(ctx, each))),
    version: await readVersion(ctx, assistant),
    nextCursor: place === undefined || page.length === found.length ? null : toChangeCursor(place),
  };
}

/** Read documents by key, without their sections and without tombstones. */
export async function listDocuments(
  ctx: QueryCtx,
  assistant: string,
  limit: number,
  cursor: string | null,
): Promise<Page> {
  const after = cursor === null ? "" : await keyBehind(ctx, assistant, cursor);
  const found = await ctx.db
    .query("documents")
    .withIndex("by_assistant_is_forgotten_key", (q) =>
      q.eq("assistant", assistant).eq("isForgotten", false).gt("key", after),
    )
    .take(limit + 1);
  const page = found.slice(0, limit);
  return {
    documents: page.map(shown),
    version: await readVersion(ctx, assistant),
    nextCursor: found.length > limit ? (page.at(-1)?._id ?? null) : null,
  };
}

export async function readDocument(
  ctx: QueryCtx,
  assistant: string,
  key: string,
): Promise<Shown | null> {
  const found = await findDocument(ctx, assistant, key);
  return found === null || found.isForgotten ? null : await withSections(ctx, found);
}

async function readChanged(
  ctx: QueryCtx,
  assistant: string,
  { version, creationTime }: ChangePlace,
): Promise<Stored[]> {
  const documents = () => ctx.db.query("documents");
  // One more than a page holds tells whether there is another.
  const limit = MAX_PAGE_DOCUMENTS + 1;
  const rest =
    creationTime === Infinity
      ? []
      : await documents()
          .withIndex("by_assistant_version", (q) =>
            q.eq("assistant", assistant).eq("version", version).gt("_creationTime", creationTime),
          )
          .take(limit);
  const later = await documents()
    .withIndex("by_assistant_version", (q) => q.eq("assistant", assistant).gt("version", version))
    .take(limit - rest.length);
  return [...rest, ...later];
}

/** By its document, which a tombstone keeps for longer than anybody turns pages. */
async function keyBehind(ctx: QueryCtx, assistant: string, cursor: string): Promise<string> {
  const id = ctx.db.normalizeId("documents", cursor);
  const document = id === null ? null : await ctx.db.get("documents", id);
  return document?.assistant === assistant ? document.key : refuse();
}

async function withSections(ctx: QueryCtx, document: Stored): Promise<Shown> {
  const { sectionsId } = document;
  const found = sectionsId === undefined ? null : await ctx.db.get("sections", sectionsId);
  return { ...shown(document), ...(found === null ? {} : { sections: found.sections }) };
}

function shown(document: Stored): Shown {
  const { _id, _creationTime, assistant, sectionsId, ...fields } = document;
  return fields;
}
