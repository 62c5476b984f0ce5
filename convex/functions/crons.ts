/** When Convex does it. */
import { cronJobs } from "convex/server";

import { internal } from "./_generated/api.js";

const crons = cronJobs();

crons.daily(
  "forget conversations older than RETENTION_DAYS",
  { hourUTC: 3, minuteUTC: 17 },
  internal.maintenance.forget,
  {},
);
crons.daily("forget hourly figures", { hourUTC: 4, minuteUTC: 17 }, internal.maintenance.forgetFigures, {});
crons.hourly("count the original's conversations", { minuteUTC: 41 }, internal.maintenance.adopt, {});

export default crons;
