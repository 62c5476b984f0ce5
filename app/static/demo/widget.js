// The widget with options to play with: what is chosen stands in the address, and in the code to copy.

const main = document.querySelector("main");
const form = document.querySelector("form");
const brought = document.querySelector("#brought");
const snippet = document.querySelector("#snippet");
const copy = document.querySelector("#copy");
const buttons = document.querySelectorAll("[data-call]");
const { baseUrl, widgetKey } = main.dataset;

// The module's widget, and how often one was put on the page.
let mounted;
let shown = 0;

const byModule = () => form.elements.by.value === "module";

const chosen = () => {
  const options = { "api-url": `${baseUrl}/chat`, "api-key": widgetKey };
  for (const { name, value, defaultValue, type } of form.elements) {
    if (name && name !== "by" && value && !(type === "color" && value === defaultValue)) options[name] = value;
  }
  return options;
};

const escaped = (value) => value.replaceAll("&", "&amp;").replaceAll('"', "&quot;").replaceAll("<", "&lt;");

const tagOf = (options) => {
  const attributes = Object.entries(options).map(([name, value]) => `        data-${name}="${escaped(value)}"`);
  return [`<script src="${baseUrl}/widget/chat-widget.js"`, ...attributes].join("\n") + " defer></script>";
};

const parsed = (json) => {
  try {
    return JSON.parse(json);
  } catch {
    return json;
  }
};

// The same, as the module takes them.
const typed = (options) => {
  const entries = Object.entries(options).map(([name, value]) => {
    if (name === "datalayer") return ["dataLayer", true];
    const known = { open: true, texts: parsed(value), starters: value.split("|") }[name];
    return [name.replace(/-(.)/g, (_, letter) => letter.toUpperCase()), known ?? value];
  });
  return Object.fromEntries(entries);
};

const moduleOf = (options) => {
  const lines = Object.entries(typed(options)).map(([name, value]) => `  ${name}: ${JSON.stringify(value)},`);
  return `import { mount } from "${baseUrl}/widget/perch.js";\n\nconst widget = mount({\n${lines.join("\n")}\n});`;
};

async function mountWidget(options) {
  const mine = shown;
  const { mount } = await import(`${baseUrl}/widget/perch.js`);
  if (mine === shown) mounted = mount(typed(options));
}

function bringTag(options) {
  const script = document.createElement("script");
  for (const [name, value] of Object.entries(options)) script.setAttribute(`data-${name}`, value);
  script.src = `${baseUrl}/widget/chat-widget.js`;
  document.body.append(script);
}

function show() {
  const options = chosen();
  const isModule = byModule();
  shown++;
  brought.textContent = isModule ? "The module" : "The tag";
  snippet.textContent = (isModule ? moduleOf : tagOf)(options);
  for (const button of buttons) {
    const { call, value } = button.dataset;
    const name = isModule ? `widget.${call.replace("send", "ask")}` : `PerchChat.${call}`;
    button.textContent = `${name}(${value ? JSON.stringify(value) : ""})`;
  }

  mounted?.destroy();
  mounted = undefined;
  window.PerchChat?.destroy?.();
  document.querySelector("script[data-api-url]")?.remove();
  if (isModule) void mountWidget(options);
  else bringTag(options);
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

for (const button of buttons) {
  const { call, value } = button.dataset;
  button.addEventListener("click", () => {
    if (byModule()) mounted?.[call.replace("send", "ask")](value);
    // Calls wait in an array until the script is there.
    else (window.PerchChat ??= []).push([call, ...(value ? [value] : [])]);
  });
}

// Shows the newest on top.
const log = (selector) => {
  const element = document.querySelector(selector);
  let lines = "";
  return (line) => (element.textContent = lines = `${line}\n${lines}`);
};

const tell = log("#events");
for (const name of ["ready", "open", "message", "close", "error", "handoff", "operator"]) {
  document.addEventListener(`perch:${name}`, ({ detail }) => tell(`perch:${name} ${detail ? JSON.stringify(detail) : ""}`));
}

const tellOfLayer = log("#layer");
window.dataLayer = [];
window.dataLayer.push = (entry) => {
  tellOfLayer(JSON.stringify(entry));
  return Array.prototype.push.call(window.dataLayer, entry);
};

show();
