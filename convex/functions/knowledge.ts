/** How learning goes, and what was not answered from what was learnt. */
import { v } from "convex/values";

import { internalMutation, internalQuery } from "./_generated/server.js";
import { dismissGaps, listGaps, readCitations } from "./model/gaps.js";
import { cancelLearning, putReport, readReport } from "./model/knowledge.js";
import { citations as citationsValidator, gap } from "./model/validators.js";

const assistant = v.string();

export const putLearning = internalMutation({
  args: { assistant, report: v.string(), reporter: v.string() },
  returns: v.boolean(),
  handler: async (ctx, args) => await putReport(ctx, args.assistant, args.report, args.reporter),
});

export const readLearning = internalQuery({
  args: { assistant },
  returns: v.union(v.string(), v.null()),
  handler: async (ctx, args) => await readReport(ctx, args.assistant),
});

export const cancel = internalMutation({
  args: { assistant },
  returns: v.null(),
  handler: async (ctx, args) => {
    await cancelLearning(ctx, args.assistant);
    return null;
  },
});

export const gaps = internalQuery({
  args: { assistant, limit: v.number() },
  returns: v.array(gap),
  handler: async (ctx, args) => await listGaps(ctx, args.assistant, args.limit),
});

export const dismiss = internalMutation({
  args: { assistant, messageIds: v.array(v.string()) },
  returns: v.null(),
  handler: async (ctx, args) => {
    await dismissGaps(ctx, args.assistant, args.messageIds);
    return null;
  },
});

export const citations = internalQuery({
  args: { assistant, since: v.number(), cursor: v.union(v.string(), v.null()) },
  returns: citationsValidator,
  handler: async (ctx, args) =>
    await readCitations(ctx, args.assistant, args.since, args.cursor),
});
