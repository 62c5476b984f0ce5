/**
 * What the panel and the part where a person answers know of each other.
 *
 * A browser may bring together two editions of them, as with launcher and panel:
 * names and meanings here only grow, and none may be one that the build shortens.
 */

import type { Shell } from "../contract";
import type { Message } from "../transcript";
import type { Json } from "../wire";

/** What the panel lends. */
export interface Kit {
  readonly shell: Shell;
  /** All texts in use, and what the server says of itself. */
  readonly texts: object;
  /** Send a request of the session, with a live token; throws a `Problem`. */
  request(path: string, method?: string, body?: object, signal?: AbortSignal): Promise<Response>;
  /** Renew the session, or begin one. */
  mint(): Promise<void>;
  recall(key: string): string | undefined;
  remember(key: string, value?: string): void;
  readonly conversation: {
    readonly scene: { messages: Message[] };
    /** Read the conversation again. */
    sync(): Promise<void>;
    reset(): void;
    /** Tell what failed, and how to try again. */
    fail(thrown: unknown, retry: () => unknown): void;
  };
  readonly panel: {
    readonly input: HTMLTextAreaElement;
    /** Holds one element for each message, in their order; the log holds the list. */
    readonly list: HTMLElement;
    readonly log: HTMLElement;
    readonly entry: HTMLElement;
    readonly chip: HTMLElement;
    /** Called whenever the messages were drawn. */
    dress?: () => void;
    /** Draw everything; `true` goes to the newest message. */
    place(toEnd: boolean): void;
  };
  /** Add to the number on the launcher. */
  count(more: number): void;
}

/** The part where a person answers. */
export interface People {
  /** The entry or the chip was pressed. */
  want(): unknown;
  /** An answer ended that no assistant gave. */
  handed(answer: Message): void;
  /** The stored conversation was read; the scene has its messages. */
  heard(history: Json): void;
  /** The panel is about to be there, or was opened, closed or moved. */
  shown(): unknown;
}
