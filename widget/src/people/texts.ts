/** What is said where a person answers: English, unless a pack or the page says it otherwise. */

export const ENGLISH = {
  person: "Talk to a person",
  assistant: "Back to the assistant",
  asked: "You asked for a person.",
  taken: "{name} joined.",
  released: "The assistant answers again.",
  closed: "The conversation was closed.",
  contact: "We will answer here and by e-mail.",
  waiting: "Somebody will answer you here.",
  withPerson: "You are talking with {name}.",
  someone: "A person",
  backAt: "Back on {time}.",
  reach: "Where can we answer you?",
  reachHint: "You will find the answer here. With an address, it comes by e-mail as well.",
  email: "E-mail",
  name: "Name (optional)",
  consent: "I agree to be answered by e-mail.",
  submit: "Save",
  skip: "No, thanks",
  wrongEmail: "Please check the address.",
  noConsent: "Please agree to be answered by e-mail.",
  byEmail: "Answer by e-mail",
  expired: "This link has expired or is incomplete. Please write to us here.",
  privacy: "Privacy",
  disclosure: "You are chatting with an AI. Answers can be wrong.",
};

export type PeopleTexts = typeof ENGLISH;

/** What a row says that tells of an event; nothing for one that is not known here. */
export function sayEvent(texts: PeopleTexts, event: string | undefined, author: string | undefined): string {
  const told = /^(asked|taken|released|closed|contact)$/.test(event!) ? texts[event as "asked"] : "";
  return told.replace("{name}", () => author || texts.someone);
}

/** Say a time in the visitor's own zone and language: a weekday within the week, else a date too. */
export function sayTime(time: number, now: number, languages: string | string[]): string {
  const far = time - now > 6 * 86_400_000;
  const format: Intl.DateTimeFormatOptions = { weekday: "long", hour: "2-digit", minute: "2-digit", ...(far && { day: "numeric", month: "long" }) };
  return new Intl.DateTimeFormat(languages, format).format(time);
}
