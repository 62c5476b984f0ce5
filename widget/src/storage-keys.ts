/** The names of what a browser remembers. */

/** The session's name. */
export const SESSION = "session";
/** The signed token of a session that the server minted. */
export const TOKEN = "token";
/** The question that was sent and not yet acknowledged. */
export const PENDING = "pending";
/** Changes when this tab changed the conversation, so that other tabs read it again. */
export const TICK = "tick";
/** Set where a person may be asked for. */
export const PEOPLE = "people";
/** Set while one was asked for or answers: see `people/standing.ts`. */
export const HANDOFF = "handoff";
/** After so many days the server deletes a conversation. */
export const DAYS = "days";
