/**
 * One answer through the AI SDK's provider for Open Responses: `node open_responses.mjs` with a
 * JSON object on its input {url, apiKey, prompt, stream}; prints what came of it.
 */
import { readFileSync } from "node:fs";
import { createOpenResponses } from "@ai-sdk/open-responses";
import { generateText, streamText } from "ai";

const { url, apiKey, prompt, stream } = JSON.parse(readFileSync(0, "utf8"));
const model = createOpenResponses({ name: "perch", url, apiKey })("default");
const asked = { model, prompt, maxRetries: 0 };
const deltas = [];
const errors = [];

async function answer() {
  if (!stream) return generateText(asked);
  const answer = streamText({ ...asked, onError: ({ error }) => errors.push(String(error.message ?? error)) });
  for await (const delta of answer.textStream) deltas.push(delta);
  return answer;
}

try {
  const told = await answer();
  const [text, finishReason, usage, sources] = await Promise.all([told.text, told.finishReason, told.usage, told.sources]);
  console.log(JSON.stringify({ text, deltas, finishReason, usage, sources, errors }));
} catch (error) {
  console.log(JSON.stringify({ text: "", deltas, errors: [...errors, String(error.message)] }));
}
