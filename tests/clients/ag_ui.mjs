/**
 * One run of AG-UI's own client: `node ag_ui.mjs` with a JSON object on its input
 * {url, headers, threadId, runId, messages}; prints the messages that came of it, and errors.
 */
import { readFileSync } from "node:fs";
import { HttpAgent } from "@ag-ui/client";

const { url, headers, threadId, runId, messages } = JSON.parse(readFileSync(0, "utf8"));
const agent = new HttpAgent({ url, headers, threadId, initialMessages: messages });
const events = [];
try {
  const { newMessages } = await agent.runAgent({ runId }, { onEvent: ({ event }) => void events.push(event.type) });
  console.log(JSON.stringify({ messages: newMessages, events, errors: [] }));
} catch (error) {
  console.log(JSON.stringify({ messages: [], events, errors: [String(error.message)] }));
}
process.exit(0);
