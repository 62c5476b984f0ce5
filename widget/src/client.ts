/** Talks to the server: sessions and their tokens, turns, and the visitor's own routes. */

import { PENDING, SESSION, TOKEN, recall, remember } from "./storage";
import { createSplitter, isProblem, isString, toEvent, toObject, toProblem, type Problem, type TurnEvent } from "./wire";

type Json = Record<string, unknown>;

/** What one turn is asked with. */
export interface Ask {
  message: string;
  turnId: string;
  regenerate?: true;
  page?: { url: string; title: string };
}

/** A server heartbeats every 15 s; a stream silent for longer than this is dead. */
const SILENCE_MS = 45_000;

/** A random id of 32 hex digits; `crypto.randomUUID` is missing on plain http. */
export const randomId = (): string =>
  [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => (byte + 256).toString(16).slice(1)).join("");

/** Make a client for the stream at `url`. `onConfig` hears what the server lets the page know. */
export function createClient(url: string, key: string, onConfig: (config: Json) => void) {
  const base = /\/chat(\/stream)?\/?$/.test(url) ? url.replace(/(\/v1)?\/chat(\/stream)?\/?$/, "") : new URL(url).origin;
  let identity: string | undefined;
  let minting: Promise<void> | undefined;

  // One helpful line for the page's owner; visitors see a sentence of their own.
  const tellOwner = (what: string) =>
    console.error(
      `[perch] ${url}: ${what}. Check that data-api-key is one of the server's WIDGET_API_KEY and that its CORS_ORIGIN lists ${location.origin}`,
    );

  const fetchFrom = async (address: string, method: string, body?: object, signal?: AbortSignal, token = recall(TOKEN)): Promise<Response> => {
    const headers: Record<string, string> = { "x-api-key": key };
    if (token) headers.authorization = `Bearer ${token}`;
    if (body) headers["content-type"] = "application/json";
    try {
      return await fetch(address, { method, headers, body: body && JSON.stringify(body), signal, cache: "no-store", credentials: "omit" });
    } catch (error) {
      if (navigator.onLine && !signal?.aborted) tellOwner(String(error));
      throw { code: navigator.onLine ? "unreachable" : "offline" } satisfies Problem;
    }
  };

  const fail = async (response: Response): Promise<never> => {
    const problem = toProblem(response.status, toObject(await response.text()), response.headers.get("retry-after"));
    if (problem.code == "blocked") tellOwner(`${response.status} ${problem.text}`);
    throw problem;
  };

  // A live token, or a client-made id where the server is older than its session routes.
  const mint = async (): Promise<void> => {
    const old = recall(TOKEN);
    let response = await fetchFrom(base + "/v1/session", "POST", old ? { token: old } : {}, undefined, "");
    if (response.status == 401 && old) {
      forget();
      response = await fetchFrom(base + "/v1/session", "POST", {}, undefined, "");
    }
    if (response.status == 404) return remember(SESSION, recall(SESSION) || randomId());
    if (!response.ok) return fail(response);
    const { sessionId, token, config } = toObject(await response.text());
    remember(SESSION, isString(sessionId));
    remember(TOKEN, isString(token));
    onConfig((config || {}) as Json);
    await identify();
  };

  // Two tabs that mint at once would be two visitors.
  const renew = (stale?: string): Promise<void> => {
    const once = async () => {
      if (recall(TOKEN) == stale) await mint();
    };
    return (minting ??= (navigator.locks ? navigator.locks.request(SESSION, once) : once()).finally(() => (minting = undefined)));
  };

  // Whatever the token's state, the request is sent with a live one.
  const request = async (path: string, method: string, body?: () => object, signal?: AbortSignal): Promise<Response> => {
    for (let tries = 0; ; tries++) {
      const token = recall(TOKEN);
      const response = await fetchFrom(path[0] == "/" ? base + path : path, method, body?.(), signal);
      if (response.ok) return response;
      if (response.status != 401 || tries) return fail(response);
      await renew(token);
    }
  };

  const identify = async (jwt = identity): Promise<void> => {
    identity = jwt;
    if (jwt && recall(TOKEN)) await fetchFrom(base + "/v1/session/identity", "POST", { jwt });
  };

  const forget = () => [SESSION, TOKEN, PENDING].forEach((key) => remember(key));

  /** Ask, and yield what the server says until `done`. Throws a `Problem`. */
  async function* ask(question: Ask, abort: AbortController): AsyncGenerator<TurnEvent> {
    if (!recall(TOKEN) && !recall(SESSION)) await renew();
    const body = () => (recall(TOKEN) ? question : { ...question, sessionId: recall(SESSION) });
    const { signal } = abort;
    const response = await request(url, "POST", body, signal);
    const reader = response.body!.getReader();
    const decoder = new TextDecoder();
    const split = createSplitter();
    let timer;
    try {
      for (;;) {
        clearTimeout(timer);
        timer = setTimeout(() => abort.abort(), SILENCE_MS);
        const { done, value } = await reader.read();
        for (const line of split(done ? "\n" : decoder.decode(value, { stream: true }))) {
          const event = toEvent(line);
          if (event?.type == "error") throw { code: event.code || "failed", text: event.error, wait: event.retryAfter } satisfies Problem;
          if (event) yield event;
          if (event?.type == "done") return;
        }
        if (done) break;
      }
    } catch (error) {
      if (isProblem(error)) throw error; // what else reading throws means that the stream was cut
    } finally {
      clearTimeout(timer);
      abort.abort();
    }
    throw { code: navigator.onLine ? "model_interrupted" : "offline" } satisfies Problem;
  }

  return { ask, request, identify, forget };
}

export type Client = ReturnType<typeof createClient>;
