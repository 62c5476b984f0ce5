/** The return link: a token in the page's address. */

const NAME = "perch=";

/** Take the token out of an address's query; the rest of it stays as it was written. */
export function takeToken(search: string): [token: string, rest: string] {
  const parts = search.slice(1).split("&");
  const [token = ""] = parts.filter((part) => part.startsWith(NAME)).map((part) => part.slice(NAME.length));
  const rest = parts.filter((part) => !part.startsWith(NAME)).join("&");
  try {
    return [decodeURIComponent(token), rest && "?" + rest];
  } catch {
    return [token, rest && "?" + rest]; // cut in the middle: the server will say so
  }
}

const toPrefix = (count: number): string => (count ? `(${count}) ` : "");

/** Put a number of unread messages before a title, in place of the one that was put there; a page may have its own. */
export function withCount(title: string, former: number, count: number): string {
  const prefix = toPrefix(former);
  return toPrefix(count) + (title.startsWith(prefix) ? title.slice(prefix.length) : title);
}
