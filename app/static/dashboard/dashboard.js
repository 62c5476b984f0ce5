// What the operator's pages do beyond HTML: the server learns the browser's time
// zone, the snippet can be copied, and what arrives is spoken. Without it all of
// them work, and tell times in UTC.
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

tellZone();
document.querySelectorAll("[data-copy]").forEach(offerCopy);
document.addEventListener("htmx:afterSettle", tellNews);
