/**
 * One run over TanStack AI's own connection: `node tanstack.mjs` with a JSON object on its input
 * {url, headers, threadId, runId, text, cuts}; prints what came of it. The connection breaks behind each of `cuts` bytes.
 */
import { readFileSync } from "node:fs";
import { fetchServerSentEvents } from "@tanstack/ai-client";

const { url, headers, threadId, runId, text, cuts } = JSON.parse(readFileSync(0, "utf8"));
let tries = 0;

/** `fetch` over a network that breaks. */
async function fetchClient(input, init) {
  const response = await fetch(input, init);
  let left = cuts[tries++] ?? Infinity;
  const reader = response.body.getReader();
  const body = new ReadableStream({
    async pull(controller) {
      const { done, value } = await reader.read();
      if (done) return controller.close();
      left -= value.length;
      if (left > 0) return controller.enqueue(value);
      await reader.cancel();
      controller.error(new TypeError("the network is gone"));
    },
  });
  return new Response(body, { status: response.status, headers: response.headers });
}

const messages = [{ id: "message-1", role: "user", parts: [{ type: "text", content: text }] }];
const events = [];
const errors = [];
try {
  const connection = fetchServerSentEvents(url, { headers, fetchClient });
  for await (const event of connection.connect(messages, {}, undefined, { threadId, runId })) events.push(event);
} catch (error) {
  errors.push(String(error.message));
}
const said = events.map((event) => event.delta ?? "").join("");
console.log(JSON.stringify({ said, events: events.map((event) => event.type), errors, tries }));
process.exit(0);
