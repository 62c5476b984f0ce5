// The widget with options to play with: what is chosen stands in the address, and in the tag to copy.

const main = document.querySelector("main");
const form = document.querySelector("form");
const snippet = document.querySelector("#snippet");
const events = document.querySelector("#events");
const copy = document.querySelector("#copy");

const chosen = () => {
  const { baseUrl, widgetKey } = main.dataset;
  const options = { "api-url": `${baseUrl}/chat`, "api-key": widgetKey };
  for (const { name, value, defaultValue, type } of form.elements) {
    if (name && value && !(type === "color" && value === defaultValue)) options[name] = value;
  }
  return options;
};

const escaped = (value) => value.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

function show() {
  const options = chosen();
  const attributes = Object.entries(options).map(([name, value]) => `        data-${name}="${escaped(value)}"`);
  const src = `${main.dataset.baseUrl}/widget/chat-widget.js`;
  snippet.textContent = [`<script src="${src}"`, ...attributes].join("\n") + " defer></script>";

  window.PerchChat?.destroy?.();
  document.querySelector("script[data-api-url]")?.remove();
  const script = document.createElement("script");
  for (const [name, value] of Object.entries(options)) script.setAttribute(`data-${name}`, value);
  script.src = src;
  document.body.append(script);
}

function choose() {
  const fields = [...new FormData(form)].filter(([, value]) => value);
  history.replaceState(null, "", `#${new URLSearchParams(fields)}`);
  show();
}

for (const [name, value] of new URLSearchParams(location.hash.slice(1))) {
  const field = form.elements[name];
  if (field) field.value = value;
}

form.addEventListener("change", choose);
form.addEventListener("submit", (event) => event.preventDefault());

copy.addEventListener("click", async () => {
  await navigator.clipboard.writeText(snippet.textContent);
  copy.textContent = "Copied";
  setTimeout(() => (copy.textContent = "Copy"), 2000);
});

for (const button of document.querySelectorAll("[data-call]")) {
  const { call, value } = button.dataset;
  // Calls wait in an array until the script is there.
  button.addEventListener("click", () => (window.PerchChat ??= []).push([call, ...(value ? [value] : [])]));
}

let heard = "";
for (const name of ["ready", "open", "message", "close", "error"]) {
  document.addEventListener(`perch:${name}`, ({ detail }) => {
    heard = `perch:${name} ${detail ? JSON.stringify(detail) : ""}\n${heard}`;
    events.textContent = heard;
  });
}

show();
