/** The conversation: joins what the visitor does, what the server says and what is drawn. */

import { ask, forget, identify, randomId, request } from "./client";
import { options } from "./options";
import { createPanel, type Panel, type Scene } from "./panel";
import { build, drawLauncher, greet, isFull, launcher, root, small } from "./shell";
import { OPEN, PENDING, SESSION, TICK, TOKEN, recall, remember } from "./storage";
import { loadTexts } from "./texts";
import { merge, toMessages, type Message } from "./transcript";
import { toObject, type Problem, type TurnEvent } from "./wire";

const HISTORY = 100;
const POLL_MS = 1500;
const STOP_MS = 2000;

/** Make the widget inside `host`. */
export function createChat(host: HTMLElement) {
  const life = new AbortController();
  const { signal } = life;
  const scene: Scene = { messages: [] };
  let panel: Panel | undefined;
  let opening: Promise<void> | undefined;
  let isOpen = false;
  let unread = 0;
  let poll: ReturnType<typeof setTimeout> | undefined;
  let abort = new AbortController();

  const emit = (name: string, detail?: object) => host.dispatchEvent(new CustomEvent("perch:" + name, { bubbles: true, composed: true, detail }));

  const draw = (toEnd?: boolean) => {
    panel?.draw(toEnd);
    drawLauncher(isOpen, unread);
  };

  // What failed says how to try again; "it will be sent" is said of questions alone.
  const fail = (thrown: unknown, retry: () => unknown) => {
    const problem: Problem = { code: "failed", ...(thrown as object) };
    const offline = problem.code == "offline";
    const code = offline && retry != again ? "unreachable" : problem.code;
    scene.trouble = { ...problem, code, offline, retry, until: Date.now() + (problem.wait || 0) * 1000 };
    draw();
    emit("error", problem);
  };

  const retry = () => {
    const { trouble } = scene;
    scene.trouble = undefined;
    trouble?.retry();
    draw();
  };

  // Other tabs read the conversation again.
  const tick = () => remember(TICK, randomId());

  /** Ask a question and follow its answer; asked again it is the same turn. */
  const run = async (question: Message, regenerate?: boolean) => {
    if (scene.busy) return;
    const { content: message, turnId: id = "" } = question;
    const answer: Message = { role: "assistant", content: "", createdAt: Date.now(), turnId: id };
    const page = scene.messages.some(({ sent }) => sent) || options.page == "off" ? undefined : { url: location.href.split("#")[0], title: document.title };
    abort = new AbortController();
    scene.messages = [...scene.messages.filter(({ turnId }) => turnId != id), question, answer];
    scene.trouble = undefined;
    scene.busy = true;
    scene.live = answer;
    if (!question.sent) remember(PENDING, JSON.stringify([id, message]));
    draw(true);

    const hear = (event: TurnEvent) => {
      if (event.type == "start") {
        question.sent = true;
        remember(PENDING);
        tick();
        return;
      }
      if (event.type == "token") answer.content += event.token;
      if (event.type == "done") Object.assign(answer, { content: event.message, _id: event.messageId, reason: event.finishReason, status: "complete" });
      // Only a token's owner may rate an answer.
      if (!recall(TOKEN)) answer._id = undefined;
      panel!.stream();
    };

    const failure: unknown = await ask({ message, turnId: id, regenerate, page }, abort, hear).catch((thrown) => thrown);
    if (scene.live != answer) return; // the conversation was left meanwhile
    scene.live = undefined;
    scene.busy = false;
    if (failure && answer.reason != "stopped") return fail(failure, again);
    if (!isOpen) unread++;
    draw();
    panel!.speak(answer);
    emit("message", { role: "assistant", content: answer.content, turnId: id });
    tick();
  };

  /** Read the conversation again: other tabs, pages and days have a part in it. */
  const sync = async () => {
    clearTimeout(poll);
    if (!recall(TOKEN) || scene.live || !panel) return;
    try {
      const { messages, runningTurnId } = toObject(await (await request("session/messages?limit=" + HISTORY, "GET")).text());
      if (scene.live) return;
      scene.messages = merge(scene.messages, toMessages(messages));
      scene.busy = !!runningTurnId;
      if (scene.messages.at(-1)?.status == "complete") scene.trouble = undefined;
      if (scene.busy) poll = setTimeout(sync, POLL_MS);
      draw();
    } catch (thrown) {
      if (!scene.messages.length) fail(thrown, sync);
    }
  };

  const clear = () => {
    abort.abort();
    clearTimeout(poll);
    scene.messages = [];
    scene.live = scene.trouble = scene.busy = undefined;
    draw();
  };

  /** Begin anew; what the server keeps of the old is another matter. */
  const reset = () => {
    stop();
    forget();
    clear();
  };

  const erase = (): Promise<void> => request("session", "DELETE").then(reset, (thrown) => fail(thrown, erase));

  const stop = () => {
    const { live } = scene;
    const mine = abort;
    const leave = () => mine.abort();
    if (!live) return;
    live.reason = "stopped";
    // The server ends the stream itself, with all that was said; where it cannot, leaving does.
    if (recall(TOKEN)) request(`turns/${live.turnId}/stop`).catch(leave);
    setTimeout(leave, recall(TOKEN) ? STOP_MS : 0);
  };

  const again = () => {
    const question = scene.messages.findLast(({ role }) => role == "user");
    const last = scene.messages.at(-1);
    if (question) void run(question, last!.turnId == question.turnId && last!.status == "complete");
  };

  // Drawn at once, and taken back where the server did not hear it.
  const rate = async (message: Message, rating: string) => {
    const { feedback } = message;
    message.feedback = { rating };
    draw();
    await request(`messages/${message._id}/feedback`, "POST", { rating }).catch((thrown) => {
      message.feedback = feedback;
      fail(thrown, () => rate(message, rating));
    });
  };

  const send = async (content: string) => {
    await open();
    if (scene.busy) {
      panel!.input.value = content;
      return draw();
    }
    emit("message", { role: "user", content });
    return run({ role: "user", content, createdAt: Date.now(), turnId: randomId() });
  };

  const start = async () => {
    await loadTexts();
    panel = createPanel(scene, { send, stop, again, retry, rate, close, erase, reset });
    root.replaceChildren(panel.panel, launcher);
    const [turnId, content] = Object.values(toObject(recall(PENDING)!)) as string[];
    if (turnId) {
      scene.messages.push({ role: "user", content, createdAt: Date.now(), turnId });
      scene.trouble = { code: "unsent", until: 0, retry: again };
    }
    setInterval(() => isOpen && draw(), 60_000);
    void sync();
  };

  const place = () => {
    panel?.panel.close();
    if (isOpen && isFull()) panel?.panel.showModal();
    else if (panel) panel.panel.open = isOpen;
    draw(isOpen);
  };

  const open = async (quiet?: boolean) => {
    if (isOpen) return opening;
    isOpen = true;
    unread = 0;
    remember(OPEN, "true");
    await (opening ??= start());
    place();
    // Full-screen, the keyboard would hide what there is to read.
    if (!quiet && !isFull()) panel!.input.focus();
    emit("open");
  };

  const close = () => {
    if (!isOpen || options.inline) return;
    isOpen = false;
    remember(OPEN, "false");
    place();
    launcher.focus();
    emit("close");
  };

  const toggle = () => (isOpen ? close() : open());

  /** Appear on the page. */
  const mount = () => {
    place();
    if (options.inline || options.open == "true" || (/1|true/.test(recall(OPEN) || "") && !isFull())) void open(true);
    else if (options.greeting && !panel) greet(toggle);
    emit("ready");
  };

  build(host, toggle, signal);
  small.addEventListener("change", place, { signal });
  addEventListener("online", () => scene.trouble?.offline && retry(), { signal });
  addEventListener("storage", ({ key, newValue }) => (key == SESSION && !newValue ? clear() : key == TICK && sync()), { signal });

  const destroy = () => {
    isOpen = false;
    clear();
    life.abort();
  };

  return { mount, destroy, api: { open, close, toggle, send, reset, identify: (jwt: string) => (identify(jwt), sync()) } };
}
