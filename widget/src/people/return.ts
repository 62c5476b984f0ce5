/** Who follows a mailed link goes on with that conversation, in whatever browser. */

import { h } from "../elements";
import { SESSION, TOKEN } from "../storage-keys";
import { toObject, toProblem, type Problem } from "../wire";
import { takeToken } from "./address";
import type { Kit } from "./contract";
import type { PeopleTexts } from "./texts";

const TIMEOUT_MS = 10_000;
// What servers say of a token that is not, or no longer, one of theirs.
const REFUSED = [400, 401, 404, 410, 422];

/** Take the token out of the page's address, if there is one, and be the session that it stands for. */
export async function comeBack(kit: Kit, texts: PeopleTexts): Promise<void> {
  const { pathname, search, hash } = location;
  const [token, rest] = takeToken(search);
  if (rest == search) return;
  // Neither the next page nor who is shown this address is to have it.
  history.replaceState(history.state, "", pathname + rest + hash);
  if (token) await exchange(kit, texts, token);
}

async function exchange(kit: Kit, texts: PeopleTexts, token: string): Promise<void> {
  const { shell, conversation, panel, remember, mint } = kit;
  const headers = { "content-type": "application/json", "x-api-key": shell.options.apiKey! };
  try {
    const options = { method: "POST", headers, body: JSON.stringify({ token }), signal: AbortSignal.timeout(TIMEOUT_MS) };
    const response = await fetch(shell.base + "v1/session/return", options).catch(() => {
      throw { code: "unreachable" } satisfies Problem;
    });
    const answer = toObject(await response.text());
    if (REFUSED.includes(response.status)) return panel.chip.before(h("p.event", { role: "alert" }, texts.expired));
    if (!response.ok) throw toProblem(response.status, answer, response.headers.get("retry-after"));
    conversation.reset();
    remember(SESSION, answer.sessionId as string);
    remember(TOKEN, answer.token as string);
    // What else the server says of itself, it says with a renewed token.
    await mint().catch(() => undefined);
  } catch (thrown) {
    conversation.fail(thrown, () => exchange(kit, texts, token).then(conversation.sync));
  }
}
