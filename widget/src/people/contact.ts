/** Asks where a visitor can be answered. */

import { h } from "../elements";
import type { PeopleTexts } from "./texts";

const MAX_EMAIL_CHARS = 254;
const MAX_NAME_CHARS = 80;

export interface Contact {
  email: string;
  name?: string;
  consent: true;
}

/** The card: `send` rejects where the server did not take it, `skip` is called by who does not want to. */
export function createCard(texts: PeopleTexts, privacyUrl: string | undefined, send: (contact: Contact) => Promise<void>, skip: () => void): HTMLFormElement {
  const wrong = h("p.wrong", { id: "perch-wrong", role: "alert" });
  const email = h("input", { type: "email", autocomplete: "email", required: true, maxLength: MAX_EMAIL_CHARS });
  const name = h("input", { type: "text", autocomplete: "name", maxLength: MAX_NAME_CHARS });
  const consent = h("input", { type: "checkbox", required: true });
  const submit = h("button.submit", { type: "submit" }, texts.submit);
  const complain = (about: HTMLInputElement, sentence: string) => {
    wrong.textContent = sentence;
    about.ariaInvalid = "true";
    about.setAttribute("aria-describedby", wrong.id);
    about.focus();
    submit.scrollIntoView({ block: "nearest" });
  };
  const submitted = async () => {
    for (const input of [email, consent]) {
      input.ariaInvalid = null;
      input.removeAttribute("aria-describedby");
    }
    wrong.textContent = "";
    email.value = email.value.trim();
    if (!email.validity.valid) return complain(email, texts.wrongEmail);
    if (!consent.checked) return complain(consent, texts.noConsent);
    submit.disabled = true;
    const given = name.value.trim();
    await send({ email: email.value, ...(given && { name: given }), consent: true }).catch(({ code }) => {
      submit.disabled = false;
      if (/^(400|422|invalid)/.test(code)) complain(email, texts.wrongEmail);
    });
  };
  const title = h("h3", { id: "perch-reach" }, texts.reach);
  const card: HTMLFormElement = h(
    "form.contact",
    {
      noValidate: true,
      onsubmit: (event) => {
        event.preventDefault();
        void submitted();
      },
    },
    title,
    h("p", {}, texts.reachHint),
    h("label", {}, texts.email, email),
    h("label", {}, texts.name, name),
    h("div.consent", {}, h("label", {}, consent, texts.consent), privacyUrl ? h("a", { href: privacyUrl, target: "_blank", rel: "noopener" }, texts.privacy) : ""),
    wrong,
    h("div.choices", {}, submit, h("button.skip", { type: "button", onclick: skip }, texts.skip)),
  );
  card.setAttribute("aria-labelledby", title.id);
  return card;
}
