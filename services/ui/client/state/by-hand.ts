import { signal } from "@preact/signals";

/** A text that the user has to copy, since the page may not. */
export const byHand = signal<string | undefined>(undefined);
