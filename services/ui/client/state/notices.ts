/** Short messages: shown for a while, and kept to be read later. */
import { signal } from "@preact/signals";

export type NoticeKind = "info" | "good" | "error";

export interface Notice {
  id: number;
  kind: NoticeKind;
  text: string;
  /** Who says so, when it is not the dashboard. */
  from?: string;
  at: string;
  /** Still on the screen. */
  shown: boolean;
}

const KEPT = 50;
/** Of what others say, so much is on the screen at a time; the latest of it. */
const SHOWN_OF_ONE = 2;
const SHOWN_MS = 6000;
const MAX_TEXT = 500;

/** Latest first. */
export const notices = signal<Notice[]>([]);
let count = 0;

/** Says something. Errors stay on the screen until they are dismissed. */
export function notify(kind: NoticeKind, text: string, from?: string): void {
  const id = ++count;
  const notice: Notice = {
    id,
    kind,
    text: text.slice(0, MAX_TEXT),
    from,
    at: new Date().toISOString(),
    shown: true,
  };
  const earlier = notices.value.filter((other) => from !== undefined && other.from === from && other.shown);
  for (const { id: surplus } of earlier.slice(SHOWN_OF_ONE - 1)) dismiss(surplus);
  notices.value = [notice, ...notices.value].slice(0, KEPT);
  if (kind !== "error") setTimeout(() => dismiss(id), SHOWN_MS);
}

export function dismiss(id: number): void {
  notices.value = notices.value.map((notice) => (notice.id === id ? { ...notice, shown: false } : notice));
}
