/** What the server asks before it relies on these functions. */
import { v } from "convex/values";

import { internalQuery } from "./_generated/server.js";
import { FUNCTIONS_VERSION } from "./model/version.js";

export const version = internalQuery({
  args: {},
  returns: v.number(),
  handler: () => FUNCTIONS_VERSION,
});
