"""Pages that use the components of the recipes, and a program that uses the types."""

REACT = """
import { StrictMode, useState } from "react";
import { createRoot } from "react-dom/client";
import { Assistant } from "./Assistant";

function App() {
  const [there, put] = useState(true);
  const toggle = <button id="toggle" onClick={() => put(!there)}>Toggle</button>;
  return <>{toggle}{there && <Assistant />}</>;
}
createRoot(document.querySelector("main")).render(<StrictMode><App /></StrictMode>);
"""
REACT_INLINE = """
import { useState } from "react";
import { createRoot } from "react-dom/client";
import { InlineAssistant } from "./InlineAssistant";

function App() {
  const [heard, hear] = useState("");
  return <><InlineAssistant onAnswer={hear} /><output>{heard}</output></>;
}
createRoot(document.querySelector("main")).render(<App />);
"""
NEXT_SERVER = """
import { renderToString } from "react-dom/server";
import RootLayout from "./layout";

console.log(renderToString(<RootLayout><main>A page</main></RootLayout>));
"""
NEXT_BROWSER = """
import { hydrateRoot } from "react-dom/client";
import RootLayout from "./layout";

hydrateRoot(document, <RootLayout><main>A page</main></RootLayout>);
"""
VUE = """
import { createApp, h, ref } from "vue";
import Assistant from "./Assistant.vue";

const there = ref(true);
const onClick = () => (there.value = !there.value);
const toggle = () => h("button", { id: "toggle", onClick }, "Toggle");
createApp({ render: () => [toggle(), there.value ? h(Assistant) : null] }).mount("main");
"""
SVELTE = """
import { mount } from "svelte";
import App from "./App.svelte";

mount(App, { target: document.querySelector("main") });
"""
SVELTE_APP = """<script>
  import Assistant from "./Assistant.svelte";
  let there = $state(true);
</script>
<button id="toggle" onclick={() => (there = !there)}>Toggle</button>
{#if there}<Assistant />{/if}
"""
USE = """
import { mount } from "{url}/widget/perch.js";
import type { Widget, WidgetOptions } from "./perch";

const options: WidgetOptions = {
  apiUrl: "/chat", apiKey: "k", starters: ["One?"], inline: null, dataLayer: true,
};
const widget: Widget = mount(options);
const end: () => void = widget.on("message", ({ detail }) => detail.content.trim());
widget.on("handoff", ({ detail: { state } }) => state === "human");
const load = () => import("{url}/widget/perch.js");
export const asked = load().then((module) => module.mount(options).ask("Hi"));
end();
// @ts-expect-error: the key is missing
mount({ apiUrl: "/chat" });
// @ts-expect-error: there is no such side
mount({ ...options, position: "top" });
"""
