// What the operator's pages do beyond HTML: times become local, the snippet
// can be copied, and what arrives is spoken. Without it all of them work.
"use strict";

const FORMS = {
  moment: { dateStyle: "medium", timeStyle: "short" },
  clock: { timeStyle: "short" },
};

function localise(root) {
  for (const time of root.querySelectorAll("time[data-form]")) {
    const moment = new Date(time.dateTime);
    const form = FORMS[time.dataset.form];
    if (form) {
      time.textContent = moment.toLocaleString(undefined, form);
    }
    time.title = moment.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
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

localise(document);
document.querySelectorAll("[data-copy]").forEach(offerCopy);
document.addEventListener("htmx:afterSettle", () => {
  localise(document);
  tellNews();
});
