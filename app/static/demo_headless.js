// The headless API from a page: read the body as it comes, cut it into lines.
const main = document.querySelector("main");
const answer = document.querySelector("#answer");
const lines = document.querySelector("#lines");
const sessionId = `demo-${crypto.randomUUID()}`;

document.querySelector("form").addEventListener("submit", async (event) => {
  event.preventDefault();
  answer.textContent = lines.textContent = "";
  const message = new FormData(event.target).get("message");
  const response = await fetch(main.dataset.stream, {
    method: "POST",
    headers: { "Content-Type": "application/json", "x-api-key": main.dataset.widgetKey },
    body: JSON.stringify({ sessionId, message }),
  });
  if (!response.ok) {
    lines.textContent = await response.text();
    return;
  }
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    const cut = (rest + part.value).split("\n");
    rest = cut.pop();
    cut.filter(Boolean).forEach(show);
  }
});

function show(line) {
  lines.textContent += `${line}\n`;
  const event = JSON.parse(line);
  if (event.type === "token") answer.textContent += event.token;
  if (event.type === "done") answer.textContent = event.message;
  if (event.type === "error") answer.textContent += `\n(${event.error})`;
}
