/** Contrast, as WCAG counts it. */

export type Rgb = [red: number, green: number, blue: number];

/** Read a computed colour: `rgb(…)`, or `color(srgb …)` with parts of one. */
export function toRgb(computed: string): Rgb {
  const scale = computed.startsWith("color") ? 255 : 1;
  return (computed.match(/[\d.]+(e-\d+)?/g) || [0, 0, 0]).slice(0, 3).map((part) => +part * scale) as Rgb;
}

const luminance = (colour: Rgb): number =>
  colour
    .map((part) => ((part /= 255) > 0.04 ? ((part + 0.055) / 1.055) ** 2.4 : part / 12.92))
    .reduce((sum, part, i) => sum + part * [0.2126, 0.7152, 0.0722][i], 0);

/** The contrast between two colours, from 1 to 21. */
export function contrast(one: Rgb, other: Rgb): number {
  const [low, high] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (high + 0.05) / (low + 0.05);
}

const WHITE: Rgb = [255, 255, 255];
const INK: Rgb = [11, 18, 32];

/** The better of white and ink on a colour. */
export const textOn = (colour: Rgb): Rgb => (contrast(colour, WHITE) >= 4.5 || contrast(colour, INK) < contrast(colour, WHITE) ? WHITE : INK);

/** The colour, darkened or lightened until it can be read on a ground. */
export function readable(colour: Rgb, ground: Rgb): Rgb {
  const towards = textOn(ground);
  let mixed = colour;
  for (let part = 0; part < 1 && contrast(mixed, ground) < 4.6; part += 0.05)
    mixed = colour.map((value, i) => Math.round(value + (towards[i] - value) * part)) as Rgb;
  return mixed;
}
