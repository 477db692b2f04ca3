/** Serialised events for server-sent event streams. */
import type { EventNode } from "../tree/log.js";
import { toWireJson } from "../tree/wire.js";

/** A serialised event, created once for all clients. */
export interface Frame {
  id: string;
  type: string;
  source: string;
  text: string;
}

/** Data for a stream. Strings are ASCII, so `length` is the number of bytes. */
export type Bytes = string | Uint8Array;

/** Several frames joined for writing. */
export interface Chunk {
  bytes: Bytes;
  /** The id of the last frame. */
  last: string;
  /** The number of frames. */
  count: number;
}

/** Selects events. Absent fields do not restrict. */
export interface EventFilter {
  types?: readonly string[];
  sources?: readonly string[];
}

/** The maximum length of a chunk in characters, unless a single frame is longer. */
const CHUNK_LENGTH = 128 * 1024;

const encoder = new TextEncoder();

/** Encodes text for a stream. Bun writes ASCII strings faster than bytes. */
export function encode(text: string): Bytes {
  return Buffer.byteLength(text) === text.length ? text : encoder.encode(text);
}

/** Serialises an event. */
export function toFrame(node: EventNode): Frame {
  const { id, type, source } = node;
  return { id, type, source, text: `id: ${id}\ndata: ${toWireJson(node)}\n\n` };
}

function passes(frame: Frame, filter: EventFilter | undefined): boolean {
  if (!filter) return true;
  const { types, sources } = filter;
  return (!types || types.includes(frame.type)) && (!sources || sources.includes(frame.source));
}

/** Joins the frames that pass the filter into chunks of bounded size. */
export function toChunks(frames: readonly Frame[], filter?: EventFilter): Chunk[] {
  const chunks: Chunk[] = [];
  let texts: string[] = [];
  let size = 0;
  let last = "";
  for (const frame of frames) {
    if (!passes(frame, filter)) continue;
    if (texts.length > 0 && size + frame.text.length > CHUNK_LENGTH) {
      chunks.push(toChunk(texts, last));
      texts = [];
      size = 0;
    }
    texts.push(frame.text);
    size += frame.text.length;
    last = frame.id;
  }
  if (texts.length > 0) chunks.push(toChunk(texts, last));
  return chunks;
}

function toChunk(texts: readonly string[], last: string): Chunk {
  const text = texts.length === 1 ? (texts[0] as string) : texts.join("");
  return { bytes: encode(text), last, count: texts.length };
}

/** The frames of the latest events, so that clients that were away briefly need no query. */
export class RecentFrames {
  #frames: Frame[] = [];
  #size = 0;
  /** All events after this position are kept. */
  #since: string;

  constructor(
    since: string,
    private readonly maxSize: number,
  ) {
    this.#since = since;
  }

  add(frames: readonly Frame[]): void {
    for (const frame of frames) {
      this.#frames.push(frame);
      this.#size += frame.text.length;
    }
    // Trimming to half keeps the amortised cost of copying low.
    if (this.#size > this.maxSize) this.#trim(this.maxSize / 2);
  }

  /** Drops all frames; events after `since` are kept from now on. */
  clear(since: string): void {
    this.#frames = [];
    this.#size = 0;
    this.#since = since;
  }

  /** The frames after a position, or `null` when they do not reach back that far. */
  after(position: string): Frame[] | null {
    if (position < this.#since) return null;
    let low = 0;
    let high = this.#frames.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#frames[middle]?.id ?? "") <= position) low = middle + 1;
      else high = middle;
    }
    return this.#frames.slice(low);
  }

  #trim(size: number): void {
    let count = 0;
    while (this.#size > size) {
      const frame = this.#frames[count++];
      if (!frame) break;
      this.#size -= frame.text.length;
      this.#since = frame.id;
    }
    this.#frames = this.#frames.slice(count);
  }
}
