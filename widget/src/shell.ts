/** The launcher that this panel belongs to: each widget of a page has an instance of the panel's modules. */

import { TAG, type Registry, type Shell } from "./contract";

const [name] = new URL(import.meta.url).search.slice(1).split(".");

export const shell = (customElements.get(TAG) as Registry).widgets!.get(name) as Shell;

export const { options } = shell;
