/** The first words of a message, as a list shows them. */

const MAX_PREVIEW_CHARS = 500;

/** Cut on code points: half a surrogate pair is not a string to Convex. */
export function preview(content: string): string {
  if (content.length <= MAX_PREVIEW_CHARS) {
    return content;
  }
  // 500 code points are at most 1,000 UTF-16 units.
  const units = content.slice(0, 2 * MAX_PREVIEW_CHARS);
  return Array.from(units).slice(0, MAX_PREVIEW_CHARS).join("");
}
