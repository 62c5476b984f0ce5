/** What the launcher remembers; where storage is denied it is nothing. */

type Kind = "localStorage" | "sessionStorage";

/** Read a name; with a value, write it. */
export function memory(kind: Kind, name: string, value?: string): string | undefined {
  try {
    const store = window[kind];
    if (value) store[name] = value;
    return store[name];
  } catch {
    return undefined;
  }
}
