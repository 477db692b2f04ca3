import { signal } from "@preact/signals";

/** Now, in milliseconds; moves on once a second. Ages are computed from it. */
export const now = signal(Date.now());

setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);
