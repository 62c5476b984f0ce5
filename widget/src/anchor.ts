import type { Tree } from "./markdown/contract";

/** An element that leads to an address, in a new tab. */
export const anchor = (href: string, title: string, ...shown: Tree[]): Tree => [
  "a",
  { href, title, target: "_blank", rel: "noopener noreferrer nofollow" },
  ...shown,
];
