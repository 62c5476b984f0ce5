/** The conversation: joins what the visitor does, what the server says and what is drawn. */

import { createClient, randomId, type Client } from "./client";
import type { Options } from "./options";
import { createPanel, type Panel, type Scene } from "./panel";
import { createShell } from "./shell";
import { OPEN, PENDING, SESSION, TICK, TOKEN, recall, remember } from "./storage";
import { ENGLISH, loadTexts, toLocale, type TextName, type Texts } from "./texts";
import { merge, toMessages, type Message } from "./transcript";
import { isProblem, isString, toObject, type Problem } from "./wire";

const PAGE_SIZE = 50;
const POLL_MS = 1500;
const MAX_WAITS = 4;

/** Make the widget inside `host`. `base` is where the script, and so the locale packs, came from. */
export function createChat(host: HTMLElement, options: Options, base: string) {
  const life = new AbortController();
  const { signal } = life;
  const locale = toLocale(options.locale);
  let config: Texts = {};
  let pack: Texts = {};
  let panel: Panel | undefined;
  let opening: Promise<void> | undefined;
  let isOpen = false;
  let unread = 0;
  let cursor: string | undefined;
  let poll: ReturnType<typeof setTimeout> | undefined;
  let turn: { abort: AbortController; id: string; stopped?: boolean } | undefined;

  const scene: Scene = { messages: [], starters: (options.starters || "").split("|").filter(Boolean), older: false, erasable: false, limit: 4000 };

  const text = (name: TextName): string =>
    options[name] || options["text" + name[0].toUpperCase() + name.slice(1)] || config[name] || pack[name] || ENGLISH[name];

  const emit = (name: string, detail?: unknown) => host.dispatchEvent(new CustomEvent("perch:" + name, { bubbles: true, composed: true, detail }));

  const client: Client = createClient(options.apiUrl, options.apiKey, (said) => {
    config = said as Texts;
    scene.limit = +(said.maxMessageChars as number) || scene.limit;
    if (!options.starters && Array.isArray(said.starters)) scene.starters = said.starters as string[];
  });

  const toggle = () => (isOpen ? close() : void open());
  const shell = createShell(host.attachShadow({ mode: "open" }), options, text("title"), toggle, signal);
  const { root, launcher, small } = shell;

  const draw = () => {
    scene.erasable = !!recall(TOKEN);
    panel?.draw();
    shell.show(isOpen, unread ? text("unread").replace("{n}", "" + unread) : "");
  };

  const ago = (time: number): string => {
    const minutes = Math.round((time - Date.now()) / 60_000);
    const relative = new Intl.RelativeTimeFormat(locale, { numeric: "auto" });
    return minutes > -60
      ? minutes < 0
        ? relative.format(minutes, "minute")
        : relative.format(0, "second")
      : minutes > -1440
        ? relative.format(Math.round(minutes / 60), "hour")
        : relative.format(Math.round(minutes / 1440), "day");
  };

  const fail = (thrown: unknown) => {
    const problem: Problem = isProblem(thrown) ? thrown : { code: "failed", text: String(thrown) };
    scene.trouble = { ...problem, until: problem.wait && Date.now() + problem.wait * 1000 };
    emit("error", problem);
    panel?.say(text(problem.code as TextName) || problem.text || text("failed"));
  };

  /** Ask a question and follow its answer; asked again it is the same turn. */
  const run = async (question: Message, regenerate?: true) => {
    if (scene.busy) return;
    const id = question.turnId!;
    const answer: Message = { role: "assistant", content: "", createdAt: Date.now(), turnId: id };
    const first = !scene.messages.some((message) => message.sent);
    const others = scene.messages.filter((message) => message.turnId != id);
    turn = { abort: new AbortController(), id };
    scene.messages = [...others, question];
    scene.trouble = undefined;
    scene.busy = true;
    scene.live = answer;
    if (!question.sent) remember(PENDING, JSON.stringify([id, question.content]));
    draw();
    panel?.follow(true);
    const page = first && options.sendPage != "false" ? { url: location.href.split("#")[0], title: document.title } : undefined;

    const listen = async () => {
      for await (const event of client.ask({ message: question.content, turnId: id, regenerate, page }, turn!.abort)) {
        if (event.type == "start") {
          question.sent = true;
          remember(PENDING);
          tick();
        } else if (event.type == "token") {
          if (!answer.content) scene.messages.push(answer), (answer.content = event.token), draw();
          else (answer.content += event.token), panel?.stream();
        } else if (event.type == "done") {
          if (!answer.content) scene.messages.push(answer);
          Object.assign(answer, { content: event.message, id: event.messageId, reason: event.finishReason, status: "complete" });
        }
      }
    };

    for (let waits = 0; ; waits++) {
      try {
        await listen();
      } catch (thrown) {
        // Another tab's question is still being answered: ours is next.
        if (isProblem(thrown) && thrown.code == "turn_in_progress" && waits < MAX_WAITS && !turn!.stopped) {
          await new Promise((done) => setTimeout(done, (thrown.wait || 1) * 1000));
          continue;
        }
        answer.status = "partial";
        if (turn!.stopped) answer.reason = "stopped";
        else fail(thrown);
      }
      break;
    }
    const { stopped } = turn!;
    turn = scene.live = undefined;
    scene.busy = false;
    if (answer.status == "complete" || stopped) {
      emit("message", { role: "assistant", content: answer.content, turnId: id });
      if (!isOpen) unread++;
    }
    draw();
    if (!scene.trouble) panel?.say(panel.textOf(answer));
    tick();
  };

  const tick = () => remember(TICK, randomId());

  /** Read the conversation again; other tabs, other pages and other days have a part in it. */
  const sync = async (more?: string) => {
    if (!recall(TOKEN) || turn) return;
    clearTimeout(poll);
    try {
      const response = await client.request(`/v1/session/messages?limit=${PAGE_SIZE}` + (more ? "&cursor=" + encodeURIComponent(more) : ""), "GET");
      const { messages, nextCursor, runningTurnId } = toObject(await response.text());
      if (turn) return;
      const history = toMessages(messages);
      if (more) scene.messages.unshift(...history);
      else scene.messages = merge(scene.messages, history);
      cursor = isString(nextCursor);
      scene.older = !!cursor;
      scene.busy = !more && !!runningTurnId;
      if (scene.busy) poll = setTimeout(sync, POLL_MS);
      else if (scene.messages.at(-1)?.sent) scene.trouble = undefined;
      draw();
    } catch (thrown) {
      if (!scene.messages.length) fail(thrown), draw();
    }
  };

  /** Begin anew on this page; what the server keeps is another matter. */
  const clear = () => {
    turn?.abort.abort();
    clearTimeout(poll);
    scene.messages = [];
    scene.trouble = undefined;
    scene.older = scene.busy = false;
    draw();
  };

  const reset = () => {
    stop();
    client.forget();
    clear();
    tick();
  };

  const erase = async () => {
    try {
      await client.request("/v1/session", "DELETE");
      reset();
      panel?.say(text("erased"));
    } catch (thrown) {
      fail(thrown);
      draw();
    }
  };

  const stop = () => {
    if (!turn) return;
    const { abort, id } = turn;
    const leave = () => abort.abort();
    turn.stopped = true;
    // The server ends the stream itself, with all that was said; where it cannot, leaving does.
    if (recall(TOKEN)) client.request(`/v1/turns/${id}/stop`, "POST", () => ({})).catch(leave), setTimeout(leave, 2000);
    else leave();
  };

  const again = (question = scene.messages.findLast((message) => message.role == "user")) => {
    if (!question) return;
    const answer = scene.messages.at(-1)!;
    void run(question, answer.turnId == question.turnId && answer.status == "complete" ? true : undefined);
  };

  const rate = async (message: Message, rating: "up" | "down") => {
    const before = message.rating;
    message.rating = rating;
    draw();
    try {
      await client.request(`/v1/messages/${message.id}/feedback`, "POST", () => ({ rating }));
    } catch {
      message.rating = before; // the thumb goes back up: nothing else was lost
      draw();
    }
  };

  const send = async (content: string) => {
    await open();
    if (scene.busy) return void (panel!.input.value = content);
    emit("message", { role: "user", content });
    await run({ role: "user", content, createdAt: Date.now(), turnId: randomId() });
  };

  const build = async () => {
    pack = await loadTexts(base, locale);
    panel = createPanel(options, scene, { text, ago, send, stop, again, rate, close, erase, fresh: reset, older: () => sync(cursor) });
    root.prepend(panel.panel);
    const pending = recall(PENDING);
    if (pending) {
      const [turnId, content] = JSON.parse(pending) as [string, string];
      scene.messages.push({ role: "user", content, createdAt: Date.now(), turnId });
    }
    setInterval(() => isOpen && draw(), 60_000);
    void sync();
  };

  const show = () => {
    panel!.panel.hidden = !isOpen;
    panel!.panel.ariaModal = isOpen && small.matches && !options.inline ? "true" : null;
    root.classList.toggle("full", small.matches && !options.inline);
    shell.tint();
    draw();
  };

  const open = async (focus = true) => {
    if (isOpen) return opening;
    isOpen = true;
    unread = 0;
    remember(OPEN, "true");
    await (opening ??= build());
    show();
    panel!.follow(true);
    if (focus) (matchMedia("(pointer:coarse)").matches ? panel!.panel : panel!.input).focus();
    emit("open");
  };

  const close = () => {
    if (!isOpen || options.inline) return;
    isOpen = false;
    remember(OPEN, "false");
    show();
    launcher.focus();
    emit("close");
  };

  const start = () => {
    shell.tint();
    draw();
    if (options.inline || options.open == "true" || (/^(1|true)$/.test(recall(OPEN) || "") && !small.matches)) void open(false);
    else if (options.greeting) shell.greet(options.greeting, text("close"));
    emit("ready");
  };

  addEventListener("online", () => scene.trouble?.code == "offline" && again(), { signal });
  addEventListener(
    "storage",
    ({ key, newValue }) => {
      if (!panel) return;
      if (key == SESSION && !newValue) clear();
      else if (key == TICK) void sync();
    },
    { signal },
  );
  small.addEventListener("change", () => panel && show(), { signal });

  const destroy = () => {
    turn?.abort.abort();
    clearTimeout(poll);
    life.abort();
  };

  return {
    start,
    destroy,
    api: { open: () => open(), close, toggle, send, reset, identify: (jwt: string) => client.identify(jwt) },
  };
}
