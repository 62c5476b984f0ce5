/** Talks to the server: sessions and their tokens, turns, and the visitor's own routes. */

import { options, shell } from "./shell";
import { HANDOFF, PENDING, PEOPLE, SESSION, TOKEN, recall, remember } from "./storage";
import { useTexts } from "./texts";
import { toEvent, toObject, toProblem, type Problem, type TurnEvent } from "./wire";

/** What one turn is asked with. */
export interface Question {
  message: string;
  turnId: string;
  regenerate?: boolean;
  page?: { url: string; title: string };
}

/** A server heartbeats every 15 s; a stream silent for longer than this is dead. */
const SILENCE_MS = 45_000;
const MAX_WAITS = 4;

/** Who the visitor is, by a token that the site's own server signed; and who the session was told that it is. */
let identity: string | undefined;
let told: string | undefined;

/** A random id of 32 hex digits; `crypto.randomUUID` is missing on plain http. */
export const randomId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => (byte + 256).toString(16).slice(1)).join("");

const problem = (code: string): Problem => ({ code: navigator.onLine ? code : "offline" });

// One helpful line for the page's owner; visitors see a sentence of their own.
const tellOwner = (what: unknown) =>
  console.error(`[perch] ${shell.base}: ${what}. Check data-api-key, and that CORS_ORIGIN has ${location.origin}`);

const send = async (path: string, method: string, body?: object, signal?: AbortSignal, token = recall(TOKEN)): Promise<Response> => {
  try {
    return await fetch(shell.base + (path ? "v1/" + path : "chat"), {
      method,
      headers: { "content-type": "application/json", "x-api-key": options.apiKey!, ...(token && { authorization: "Bearer " + token }) },
      // Without a token, the session is one that this browser named.
      body: body && JSON.stringify(token ? body : { sessionId: recall(SESSION), ...body }),
      signal,
    });
  } catch (error) {
    if (!signal?.aborted) tellOwner(error);
    throw problem("unreachable");
  }
};

const fail = async (response: Response): Promise<never> => {
  const failure = toProblem(response.status, toObject(await response.text()), response.headers.get("retry-after"));
  if (failure.code == "blocked") tellOwner(failure.text);
  throw failure;
};

/** Forget the session; the next question begins another. */
export const forget = (): void => [SESSION, TOKEN, PENDING, HANDOFF].forEach((key) => remember(key));

let minting: Promise<void> | undefined;

/** Get a live token, or a client-made id where the server is older than its session routes; and hear what may be asked for. */
export const mint = (): Promise<void> => (minting ??= begin().finally(() => (minting = undefined)));

const begin = async (): Promise<void> => {
  const token = recall(TOKEN);
  const response = await send("session", "POST", { token }, undefined, "");
  if (response.status == 401 && token) {
    forget();
    return begin();
  }
  if (response.status == 404) return remember(SESSION, recall(SESSION) || randomId());
  if (!response.ok) return fail(response);
  const session = toObject(await response.text());
  // Of two tabs that mint at once the first one wins: they are one visitor.
  if (recall(TOKEN) != token) return;
  remember(SESSION, session.sessionId as string);
  remember(TOKEN, session.token as string);
  told = undefined;
  remember(PEOPLE, useTexts(Object(session.config)).people?.canAsk && "1");
};

// A session that is another user's is left to them.
const introduce = async (): Promise<void> => {
  if (!recall(TOKEN) && !recall(SESSION)) await mint();
  if (identity == told || !recall(TOKEN)) return;
  told = identity;
  if ((await send("session/identity", "POST", { jwt: identity })).status != 409) return;
  forget();
  await introduce();
};

/** Tell who the visitor is; the server hears it with the next request. */
export const identify = (jwt: string): void => void (identity = jwt);

/** Send a request of the session, with a live token whatever the old one's state. An empty path is the chat's. */
export async function request(path: string, method = "POST", body?: object, signal?: AbortSignal): Promise<Response> {
  for (let tries = 0; ; tries++) {
    await introduce();
    const response = await send(path, method, body, signal);
    const { ok, status, headers } = response;
    const wait = +headers.get("retry-after")!;
    if (ok) return response;
    if (status == 401 && !tries && recall(TOKEN)) await mint();
    // Another tab's question is still being answered: ours is next.
    else if (status == 409 && wait && tries < MAX_WAITS) await new Promise((done) => setTimeout(done, wait * 1000));
    else return fail(response);
  }
}

/** Hears what the server says of a turn, until `done`. */
type Hear = (event: TurnEvent) => void;

/** Ask, and hand on what the server says. Throws a `Problem`. */
export const ask = (question: Question, abort: AbortController, hear: Hear): Promise<void> =>
  listen(request("", "POST", question, abort.signal), abort, hear);

/** Hear a turn from its beginning, whoever asked it. Throws a `Problem`. */
export const follow = (turnId: string, abort: AbortController, hear: Hear): Promise<void> =>
  listen(request(`turns/${turnId}/stream`, "GET", undefined, abort.signal), abort, hear);

async function listen(asked: Promise<Response>, abort: AbortController, hear: Hear): Promise<void> {
  const response = await asked;
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  let timer;
  try {
    for (;;) {
      clearTimeout(timer);
      timer = setTimeout(() => abort.abort(), SILENCE_MS);
      const { done, value } = await reader.read();
      const lines = (rest + (done ? "\n" : value)).split("\n");
      rest = lines.pop()!;
      for (const event of lines.map(toEvent)) {
        if (event?.type == "error") throw { code: event.code || "failed", text: event.error, wait: event.retryAfter } satisfies Problem;
        if (event) hear(event);
        if (event?.type == "done") return;
      }
      if (done) break;
    }
  } catch (thrown) {
    if (!(thrown instanceof Error)) throw thrown; // what reading throws means that the stream was cut
  } finally {
    clearTimeout(timer);
    abort.abort();
  }
  throw problem("model_interrupted");
}
