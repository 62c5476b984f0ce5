/* eslint-disable */
/**
 * Generated `api` utility.
 *
 * THIS CODE IS AUTOMATICALLY GENERATED.
 *
 * To regenerate, run `npx convex dev`.
 * @module
 */

import type {
  ApiFromModules,
  FilterApi,
  FunctionReference,
} from "convex/server";
import type * as conversations from "../conversations.js";
import type * as crons from "../crons.js";
import type * as documents from "../documents.js";
import type * as figures from "../figures.js";
import type * as jobs from "../jobs.js";
import type * as knowledge from "../knowledge.js";
import type * as maintenance from "../maintenance.js";
import type * as messages from "../messages.js";
import type * as model_backfill from "../model/backfill.js";
import type * as model_begin from "../model/begin.js";
import type * as model_conversations from "../model/conversations.js";
import type * as model_counters from "../model/counters.js";
import type * as model_cursors from "../model/cursors.js";
import type * as model_documents from "../model/documents.js";
import type * as model_events from "../model/events.js";
import type * as model_feedback from "../model/feedback.js";
import type * as model_figures from "../model/figures.js";
import type * as model_finish from "../model/finish.js";
import type * as model_gaps from "../model/gaps.js";
import type * as model_handovers from "../model/handovers.js";
import type * as model_inbox from "../model/inbox.js";
import type * as model_jobs from "../model/jobs.js";
import type * as model_knowledge from "../model/knowledge.js";
import type * as model_leases from "../model/leases.js";
import type * as model_listing from "../model/listing.js";
import type * as model_marked from "../model/marked.js";
import type * as model_marks from "../model/marks.js";
import type * as model_messages from "../model/messages.js";
import type * as model_notices from "../model/notices.js";
import type * as model_originals from "../model/originals.js";
import type * as model_pages from "../model/pages.js";
import type * as model_previews from "../model/previews.js";
import type * as model_ranges from "../model/ranges.js";
import type * as model_retention from "../model/retention.js";
import type * as model_revocations from "../model/revocations.js";
import type * as model_searching from "../model/searching.js";
import type * as model_sessions from "../model/sessions.js";
import type * as model_switches from "../model/switches.js";
import type * as model_threads from "../model/threads.js";
import type * as model_turns from "../model/turns.js";
import type * as model_validators from "../model/validators.js";
import type * as model_version from "../model/version.js";
import type * as notices from "../notices.js";
import type * as people from "../people.js";
import type * as revocations from "../revocations.js";
import type * as sessions from "../sessions.js";
import type * as switches from "../switches.js";
import type * as system from "../system.js";
import type * as turns from "../turns.js";

/**
 * A utility for referencing Convex functions in your app's API.
 *
 * Usage:
 * ```js
 * const myFunctionReference = api.myModule.myFunction;
 * ```
 */
declare const fullApi: ApiFromModules<{
  conversations: typeof conversations;
  crons: typeof crons;
  documents: typeof documents;
  figures: typeof figures;
  jobs: typeof jobs;
  knowledge: typeof knowledge;
  maintenance: typeof maintenance;
  messages: typeof messages;
  "model/backfill": typeof model_backfill;
  "model/begin": typeof model_begin;
  "model/conversations": typeof model_conversations;
  "model/counters": typeof model_counters;
  "model/cursors": typeof model_cursors;
  "model/documents": typeof model_documents;
  "model/events": typeof model_events;
  "model/feedback": typeof model_feedback;
  "model/figures": typeof model_figures;
  "model/finish": typeof model_finish;
  "model/gaps": typeof model_gaps;
  "model/handovers": typeof model_handovers;
  "model/inbox": typeof model_inbox;
  "model/jobs": typeof model_jobs;
  "model/knowledge": typeof model_knowledge;
  "model/leases": typeof model_leases;
  "model/listing": typeof model_listing;
  "model/marked": typeof model_marked;
  "model/marks": typeof model_marks;
  "model/messages": typeof model_messages;
  "model/notices": typeof model_notices;
  "model/originals": typeof model_originals;
  "model/pages": typeof model_pages;
  "model/previews": typeof model_previews;
  "model/ranges": typeof model_ranges;
  "model/retention": typeof model_retention;
  "model/revocations": typeof model_revocations;
  "model/searching": typeof model_searching;
  "model/sessions": typeof model_sessions;
  "model/switches": typeof model_switches;
  "model/threads": typeof model_threads;
  "model/turns": typeof model_turns;
  "model/validators": typeof model_validators;
  "model/version": typeof model_version;
  notices: typeof notices;
  people: typeof people;
  revocations: typeof revocations;
  sessions: typeof sessions;
  switches: typeof switches;
  system: typeof system;
  turns: typeof turns;
}>;
export declare const api: FilterApi<
  typeof fullApi,
  FunctionReference<any, "public">
>;
export declare const internal: FilterApi<
  typeof fullApi,
  FunctionReference<any, "internal">
>;
