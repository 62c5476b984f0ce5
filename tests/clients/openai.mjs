/**
 * One answer through OpenAI's own SDK: `node openai.mjs` with a JSON object on its input {baseURL,
 * apiKey, api: "chat" | "responses", stream, stopAfter}; prints what came of it.
 */
import { readFileSync } from "node:fs";
import OpenAI from "openai";

const { baseURL, apiKey, api, stream, stopAfter = Infinity } = JSON.parse(readFileSync(0, "utf8"));
const client = new OpenAI({ baseURL, apiKey, maxRetries: 0 });
const asked = { model: "default", stream };
const deltas = [];

const ask = {
  chat: () => client.chat.completions.create({ ...asked, messages: [{ role: "user", content: "Hello" }] }),
  responses: () => client.responses.create({ ...asked, input: "Hello" }),
};
const read = {
  chat: (told) => (stream ? told.choices[0]?.delta.content : told.choices[0].message.content),
  responses: (told) => (stream ? (told.type == "response.output_text.delta" ? told.delta : "") : told.output_text),
};

async function answer() {
  const told = await ask[api]();
  if (!stream) return read[api](told);
  for await (const event of told) {
    if (event.type == "response.failed") throw event.response.error;
    deltas.push(read[api](event) ?? "");
    if (deltas.filter(Boolean).length >= stopAfter) break; // which closes the connection
  }
  return deltas.join("");
}

try {
  console.log(JSON.stringify({ text: await answer() }));
} catch ({ constructor, code, status }) {
  console.log(JSON.stringify({ text: deltas.join(""), error: constructor.name, code, status }));
}
