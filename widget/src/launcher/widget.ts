/** One assistant on the page: the launcher, and the dialog that the panel fills once it is wanted. */

import { TAG, type Panel, type Registry, type Shell } from "../contract";
import { adopt, CHEVRON, CROSS, drawing, h, picture } from "../elements";
import css from "./launcher.css";
import type { Options } from "./options";
import { memory } from "./storage";

declare const PANEL: string;
/** All languages that there are packs for, with bars between them. */
declare const LOCALES: string;

// A page that was left open, or whose visitor chatted before, has done its own loading by then.
const IDLE_MS = 2000;

/** What the panel is asked for, perhaps before it is there. */
export type Wish = "send" | "reset" | "identify";

const languageOf = (wanted = ""): string =>
  RegExp(`^(${LOCALES})(?![a-z])`, "i").exec(wanted == "auto" ? document.documentElement.lang : wanted)?.[1].toLowerCase() || "en";

export class Widget implements Shell {
  declare readonly options: Options;
  declare readonly base: string;
  declare readonly files: string;
  declare readonly name: string;
  readonly host = document.createElement(TAG);
  declare readonly locale: string;
  declare readonly dialog: HTMLDialogElement;
  declare readonly launcher: HTMLElement;
  isOpen = false;
  readonly #life = new AbortController();
  readonly signal = this.#life.signal;
  readonly #small = matchMedia("(max-width:480px),(max-height:440px)");
  readonly #root: HTMLElement;
  readonly #wishes: [Wish, string][] = [];
  #greeting?: HTMLElement;
  #panel?: Panel;
  #loading?: Promise<void>;

  constructor(place: Pick<Shell, "options" | "base" | "files" | "name">) {
    Object.assign(this, place);
    const { options } = this;
    const { title = "Assistant", launcherIcon, inline, position, dir } = options;
    this.locale = languageOf(options.locale);
    this.dialog = h("dialog.panel", {
      ariaLabel: title,
      tabIndex: -1,
      oncancel: this.close,
      onkeydown: ({ key }) => key == "Escape" && this.close(),
    });
    const onfocus = this.#preload;
    this.launcher = h("button.launcher", { ariaLabel: title, onclick: this.toggle, onfocus, onpointerenter: onfocus }, picture(launcherIcon), drawing(CHEVRON));
    this.#root = h("div.root", { dir: dir || (/ar|he/.test(this.locale) ? "rtl" : "ltr") }, this.dialog, this.launcher);
    this.#root.classList.add(inline ? "inline" : position == "left" ? position : "right");
    this.#dress(options);
    this.#small.addEventListener("change", this.#place, { signal: this.signal });
  }

  isFull = (): boolean => this.#small.matches && !this.options.inline;

  emit = (name: string, detail?: object): unknown => this.host.dispatchEvent(new CustomEvent("perch:" + name, { bubbles: true, detail }));

  /** Stand where the host was put, and be as the page was left. */
  mount(): void {
    const { inline, open } = this.options;
    const root = this.#root;
    const left = memory("localStorage", "perch-open-" + this.name) || memory("localStorage", "os-chatbot-widget-open");
    // In the top layer no page's transform, filter or overflow has a hold on it.
    if (!inline && !root.style.zIndex && root.showPopover) {
      root.popover = "manual";
      root.showPopover();
    }
    this.#place();
    // Who follows a mailed link finds the conversation open.
    if (inline || /[?&]perch=/.test(location.search) || (/1|true/.test(open + " " + left) && !this.isFull())) void this.open(true);
    else this.#greet();
    if (left) setTimeout(this.#preload, IDLE_MS);
    this.emit("ready");
  }

  /** Open it; `quiet` leaves the focus where it is. */
  async open(quiet?: boolean): Promise<void> {
    const anew = !this.isOpen;
    if (anew) {
      this.#turn(true);
      this.#dismiss();
    }
    await this.#fill();
    if (anew && this.isOpen && this.#panel) {
      this.#panel.shown(true);
      if (!quiet) this.#panel.focus();
      this.emit("open");
    }
    this.#grant();
  }

  close = (): void => {
    if (!this.isOpen || this.options.inline) return;
    this.#turn(false);
    this.launcher.focus();
    this.emit("close");
  };

  toggle = (): unknown => (this.isOpen ? this.close() : this.open());

  /** Ask the panel for something: at once, or when it is there. */
  wish(name: Wish, value: string): unknown {
    this.#wishes.push([name, value]);
    // Who the visitor is, the server hears with the next request.
    return name == "send" ? this.open() : name == "reset" ? this.#fill().then(this.#grant) : this.#grant();
  }

  destroy = (): void => {
    this.#life.abort();
    this.host.remove();
  };

  // A browser may remember that an address failed, and what an address brought belongs to the widget that asked for it.
  #load = (): Promise<void> => {
    const page = this.host.constructor as Registry;
    return (this.#loading ??= import(/* webpackIgnore: true */ /* @vite-ignore */ `${this.files}${PANEL}?${this.name}.${(page.loads = -~page.loads!)}`).then(
      async ({ start }) => void (this.#panel = await start()),
    ));
  };

  #preload = (): unknown => this.#load().catch(() => (this.#loading = undefined));

  async #fill(): Promise<void> {
    try {
      await this.#load();
    } catch {
      this.#loading = undefined;
      const again = () => {
        this.isOpen = false;
        return this.open();
      };
      this.#wait(h("div", { role: "alert" }, "The assistant cannot be reached."), h("button.retry", { onclick: again }, "Try again"));
    }
  }

  #grant = (): void => {
    if (this.#panel) for (const [name, value] of this.#wishes.splice(0)) this.#panel[name](value);
  };

  // Until the panel is there: its outline, or why it does not come.
  #wait(...children: Node[]): void {
    this.dialog.replaceChildren(h("div.outline", {}, this.#cross(this.close), ...children));
  }

  #cross = (onclick: () => void): HTMLElement => h("button.close", { title: "Close", onclick }, drawing(CROSS));

  #turn(open: boolean): void {
    this.isOpen = open;
    memory("localStorage", "perch-open-" + this.name, `${open}`);
    // The panel may have drawn itself already, and be on its way for the rest.
    if (!this.dialog.children[1]) this.#wait(h("p"), h("p"));
    this.#place();
  }

  #place = (): void => {
    const { dialog, isOpen } = this;
    dialog.close();
    if (isOpen && this.isFull()) dialog.showModal();
    else dialog.open = isOpen;
    this.launcher.ariaExpanded = `${isOpen}`;
    this.#panel?.shown(false);
  };

  #greet(): void {
    const { greeting } = this.options;
    if (!greeting || this.isOpen || this.#greeting || memory("sessionStorage", "perch-greeted-" + this.name)) return;
    this.#greeting = h("div.greeting", {}, h("button", { dir: "auto", onclick: this.toggle }, greeting), this.#cross(this.#dismiss));
    this.#root.prepend(this.#greeting);
  }

  #dismiss = (): void => {
    this.#greeting?.remove();
    memory("sessionStorage", "perch-greeted-" + this.name, "true");
  };

  #dress({ size, theme, zIndex, accentColor, launcher }: Options): void {
    const { host } = this;
    const shadow = host.attachShadow({ mode: "open" });
    adopt(shadow, css);
    shadow.append(this.#root);
    host.className = [size, theme].join(" ");
    host.style.setProperty("--perch-accent", accentColor || "");
    this.#root.style.zIndex = zIndex || "";
    this.launcher.hidden = launcher == "off";
  }
}
