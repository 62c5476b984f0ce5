/**
 * What launcher and panel know of each other.
 *
 * A browser may keep either for some time, and bring it together with another edition's counterpart:
 * names and meanings here only grow, and whoever asks for a new one does without it as well.
 */

import type { Options } from "./launcher/options";

/** The launcher, as the panel sees it. */
export interface Shell {
  readonly options: Options;
  /** Where the server is mounted, and where the script's other files are; both end in a slash. */
  readonly base: string;
  readonly files: string;
  /** The assistant's own name, in storage and in the panel's address. */
  readonly name: string;
  /** The language in use, of those that there are packs for. */
  readonly locale: string;
  readonly host: HTMLElement;
  /** The dialog that the panel fills. */
  readonly dialog: HTMLDialogElement;
  readonly launcher: HTMLElement;
  /** Ends with the widget. */
  readonly signal: AbortSignal;
  readonly isOpen: boolean;
  isFull(): boolean;
  open(): Promise<void>;
  close(): void;
  emit(name: string, detail?: object): unknown;
}

/** The panel, as the launcher sees it. */
export interface Panel {
  send(text: string): unknown;
  reset(): unknown;
  identify(jwt: string): unknown;
  /** The dialog was shown, opened anew or only placed again. */
  shown(anew: boolean): void;
  /** Take the focus. */
  focus(): void;
}

/** The element's class, on which each launcher stands under the name that the panel is asked for; it counts how often one was. */
export type Registry = Function & { widgets?: Map<string, Shell>; loads?: number };

export const TAG = "perch-chat";
