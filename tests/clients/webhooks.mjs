/**
 * One verification by Standard Webhooks' own package: `node webhooks.mjs` with a JSON object on
 * its input {secret, headers, body}; prints what it says.
 */
import { readFileSync } from "node:fs";
import { Webhook } from "standardwebhooks";

const { secret, headers, body } = JSON.parse(readFileSync(0, "utf8"));
try {
  console.log(JSON.stringify({ told: new Webhook(secret).verify(body, headers) }));
} catch (error) {
  console.log(JSON.stringify({ error: error.message }));
}
