/** What assistants know of their owners' pages; app/storage/document_store.py is the port. */
import { v } from "convex/values";

import { internalMutation, internalQuery } from "./_generated/server.js";
import { dropSections, forgetDocuments, putDocuments } from "./model/documents.js";
import { documentsSince, listDocuments, readDocument } from "./model/pages.js";
import { document, documentPage, newDocument } from "./model/validators.js";

const assistant = v.string();
const cursor = v.union(v.string(), v.null());

export const put = internalMutation({
  args: { assistant, documents: v.array(newDocument) },
  returns: v.number(),
  handler: async (ctx, args) => await putDocuments(ctx, args.assistant, args.documents),
});

export const forget = internalMutation({
  args: { assistant, keys: v.array(v.string()) },
  returns: v.number(),
  handler: async (ctx, args) => await forgetDocuments(ctx, args.assistant, args.keys),
});

export const drop = internalMutation({
  args: { ids: v.array(v.id("sections")) },
  returns: v.null(),
  handler: async (ctx, { ids }) => {
    await dropSections(ctx, ids);
    return null;
  },
});

export const since = internalQuery({
  args: { assistant, version: v.number(), cursor },
  returns: documentPage,
  handler: async (ctx, args) =>
    await documentsSince(ctx, args.assistant, args.version, args.cursor),
});

export const list = internalQuery({
  args: { assistant, limit: v.number(), cursor },
  returns: documentPage,
  handler: async (ctx, args) => await listDocuments(ctx, args.assistant, args.limit, args.cursor),
});

export const read = internalQuery({
  args: { assistant, key: v.string() },
  returns: v.union(document, v.null()),
  handler: async (ctx, args) => await readDocument(ctx, args.assistant, args.key),
});
