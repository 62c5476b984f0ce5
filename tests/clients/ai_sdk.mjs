/**
 * What `useChat` does, without React: `node ai_sdk.mjs` with a JSON object on its input
 * {package, api, headers, chat, messages, trigger?, messageId?, resume?}; prints what came of it.
 */
import { readFileSync } from "node:fs";

const asked = JSON.parse(readFileSync(0, "utf8"));
const { DefaultChatTransport, readUIMessageStream } = await import(asked.package);
const transport = new DefaultChatTransport({ api: asked.api, headers: asked.headers });

async function read(stream) {
  let message;
  const errors = [];
  for await (const each of readUIMessageStream({ stream, onError: (error) => errors.push(String(error)) })) message = each;
  return { message, errors };
}

try {
  const stream = asked.resume
    ? await transport.reconnectToStream({ chatId: asked.chat })
    : await transport.sendMessages({
        chatId: asked.chat,
        messages: asked.messages,
        trigger: asked.trigger ?? "submit-message",
        messageId: asked.messageId,
        abortSignal: undefined,
      });
  console.log(JSON.stringify(stream ? await read(stream) : { message: null, errors: [] }));
} catch (error) {
  console.log(JSON.stringify({ message: null, errors: [String(error.message)] }));
}
