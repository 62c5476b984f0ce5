/** What the server must find deployed: raise it with every change that it relies on. */
export const FUNCTIONS_VERSION = 6;
