// What the operator's pages do beyond HTML: the server learns the browser's time
// zone, the snippet can be copied, what arrives is spoken, the title counts who waits,
// and a reply that is not sent yet stays. Without it all of them work, and tell times in UTC.
"use strict";

function tellZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const cookie = `perch-zone=${zone}`;
  if (!zone || document.cookie.split("; ").includes(cookie)) {
    return;
  }
  const path = location.pathname.replace(/\/dashboard(\/.*)?$/u, "/dashboard");
  const secure = location.protocol === "https:" ? "; secure" : "";
  document.cookie = `${cookie}; path=${path}; max-age=31536000; samesite=lax${secure}`;
  const shown = document.documentElement.dataset.zone;
  // Once, for then the cookie is known; never where cookies are refused.
  if (shown && shown !== zone && document.cookie.split("; ").includes(cookie)) {
    location.reload();
  }
}

function offerCopy(button) {
  button.hidden = !navigator.clipboard;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
    button.textContent = "Copied";
  });
}

function countMessages() {
  return document.querySelectorAll(".message").length;
}

let known = countMessages();

function tellNews() {
  const fresh = countMessages() - known;
  known = countMessages();
  const news = document.getElementById("news");
  if (news && fresh > 0) {
    news.textContent = fresh === 1 ? "One new message" : `${fresh} new messages`;
  }
}

function countWaiting() {
  const waiting = document.getElementById("inbox-link")?.dataset.waiting ?? "0";
  const title = document.title.replace(/^\(\d+\) /u, "");
  document.title = waiting === "0" ? title : `(${waiting}) ${title}`;
}

const form = document.getElementById("reply");
const draft = form?.elements.text;

// The browser may refuse storage.
function store(action) {
  try {
    return action(sessionStorage, `perch-draft-${draft.dataset.draft}`);
  } catch {
    return null;
  }
}

// What was sent last, and whether it is known to be said.
let sent = "";
let isUnsure = false;

function keepDraft() {
  store((kept, name) => (draft.value ? kept.setItem(name, draft.value) : kept.removeItem(name)));
  // Other words than those that may have been said are another message.
  if (isUnsure && draft.value !== sent) {
    isUnsure = false;
    drawKey();
  }
}

function sendByKey(event) {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.isComposing) {
    event.preventDefault();
    form.requestSubmit();
  }
}

// Sent again, as after a lost answer, words with the same key are the same message.
function drawKey() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  form.elements.key.value = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

let isSending = false;

function noteSending(event) {
  if (event.target === form) {
    isSending = event.type === "htmx:beforeRequest";
    if (isSending) {
      sent = draft.value;
    }
    form.querySelector("button").disabled = isSending;
  }
}

function noteReply(event) {
  noteSending(event);
  if (event.target !== form) {
    return;
  }
  const told = form.querySelector("[role=alert]");
  told.textContent = event.detail.successful ? "" : "It was not sent. Your words are kept: try again.";
  isUnsure = !event.detail.successful;
  if (event.detail.successful) {
    // What was typed meanwhile is not said yet.
    draft.value = draft.value.startsWith(sent) ? draft.value.slice(sent.length).trimStart() : draft.value;
    drawKey();
  }
  keepDraft();
  draft.focus();
}

let wasAtEnd = false;

function isAtEnd() {
  const page = document.documentElement;
  return page.scrollHeight - page.scrollTop - page.clientHeight < 80;
}

function followThread(event) {
  if (event.type === "htmx:beforeSwap") {
    wasAtEnd = isAtEnd() || event.detail.requestConfig?.verb === "post";
  } else if (form && wasAtEnd && event.target.id === "messages") {
    scrollTo(0, document.documentElement.scrollHeight);
  }
}

function tellSeen(event) {
  if (event.detail.path.includes("poll=1")) {
    event.detail.parameters.seen = String(!document.hidden);
  }
}

if (form) {
  draft.value ||= store((kept, name) => kept.getItem(name)) ?? "";
  draft.addEventListener("input", keepDraft);
  draft.addEventListener("keydown", sendByKey);
  document.addEventListener("htmx:beforeRequest", noteSending);
  document.addEventListener("htmx:afterRequest", noteReply);
  document.addEventListener("htmx:beforeSwap", followThread);
  document.addEventListener("htmx:afterSettle", followThread);
}
document.addEventListener("htmx:configRequest", tellSeen);
document.addEventListener("htmx:afterSettle", countWaiting);
tellZone();
document.querySelectorAll("[data-copy]").forEach(offerCopy);
document.addEventListener("htmx:afterSettle", tellNews);
