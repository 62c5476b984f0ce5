/** What visitors do to single messages. */
import { v } from "convex/values";

import { internalMutation } from "./_generated/server.js";
import { rateMessage } from "./model/feedback.js";
import { feedback } from "./model/validators.js";

export const rate = internalMutation({
  args: { sessionId: v.string(), messageId: v.string(), feedback },
  returns: v.boolean(),
  handler: async (ctx, args) => await rateMessage(ctx, args),
});
