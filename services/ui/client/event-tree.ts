/** Events as threads: who came of whom. Knows no page. */
import type { FeedEvent } from "./state/live.js";
import { termsOf, wordsOf } from "./words.js";

export interface Row {
  event: FeedEvent;
  /** 0 for the beginning of a thread, as far as it is known here. */
  depth: number;
  /** Number of direct answers that are known. */
  children: number;
  /** How many stand beside it, and which of them it is, from 1. */
  siblings: number;
  position: number;
  collapsed: boolean;
}

interface Node {
  event: FeedEvent;
  /** Ids in ascending order, which is that of time. */
  children: string[];
}

/** Keeps at most so many events; the oldest threads go first. */
const MAX_NODES = 20_000;

/** Inserts into an ascending list; what is there already stays single. */
export function insert(list: string[], id: string): void {
  const last = list.at(-1);
  if (last === undefined || last < id) {
    list.push(id);
    return;
  }
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((list[middle] ?? "") < id) low = middle + 1;
    else high = middle;
  }
  if (list[low] !== id) list.splice(low, 0, id);
}

export class EventTree {
  readonly #nodes = new Map<string, Node>();
  /** Beginnings of threads, ascending. */
  readonly #roots: string[] = [];
  /** Events whose parent is not here, by that parent. */
  readonly #waiting = new Map<string, string[]>();
  #full = false;

  constructor(readonly maxNodes = MAX_NODES) {}

  get size(): number {
    return this.#nodes.size;
  }

  /** Whether older events than those here have no place, or had none already. */
  get full(): boolean {
    return this.#full;
  }

  get(id: string): FeedEvent | undefined {
    return this.#nodes.get(id)?.event;
  }

  /** Takes in events in any order; known ones are left as they are. Returns how many were new. */
  add(events: readonly FeedEvent[]): number {
    let added = 0;
    for (const event of events) {
      if (this.#nodes.has(event.id)) continue;
      added++;
      const node: Node = { event, children: [] };
      this.#nodes.set(event.id, node);
      this.#adopt(event.id, node);
      const parent = event.parentId === null ? undefined : this.#nodes.get(event.parentId);
      if (parent) {
        insert(parent.children, event.id);
        continue;
      }
      insert(this.#roots, event.id);
      if (event.parentId !== null) {
        const others = this.#waiting.get(event.parentId) ?? [];
        others.push(event.id);
        this.#waiting.set(event.parentId, others);
      }
    }
    this.#full ||= this.#nodes.size >= this.maxNodes;
    while (this.#nodes.size > this.maxNodes && this.#roots.length > 1) this.#forgetOldest();
    return added;
  }

  /** Answers that came before what they answer stop being threads of their own. */
  #adopt(id: string, node: Node): void {
    const orphans = this.#waiting.get(id);
    if (!orphans) return;
    this.#waiting.delete(id);
    for (const orphan of orphans) {
      const at = this.#roots.indexOf(orphan);
      if (at >= 0) this.#roots.splice(at, 1);
      insert(node.children, orphan);
    }
  }

  #forgetOldest(): void {
    const root = this.#roots.shift() as string;
    this.#stopWaiting(root);
    const stack = [root];
    for (let id = stack.pop(); id !== undefined; id = stack.pop()) {
      stack.push(...(this.#nodes.get(id)?.children ?? []));
      this.#nodes.delete(id);
    }
  }

  #stopWaiting(id: string): void {
    const parent = this.#nodes.get(id)?.event.parentId ?? "";
    const others = this.#waiting.get(parent)?.filter((other) => other !== id) ?? [];
    if (others.length > 0) this.#waiting.set(parent, others);
    else this.#waiting.delete(parent);
  }

  /** The ancestors of an event that are known, outermost first. */
  ancestors(id: string): string[] {
    const path: string[] = [];
    let parent = this.#nodes.get(id)?.event.parentId;
    while (parent && this.#nodes.has(parent) && !path.includes(parent)) {
      path.unshift(parent);
      parent = this.#nodes.get(parent)?.event.parentId;
    }
    return path;
  }

  /** What is seen: the latest thread first, answers in the order of time. */
  rows(collapsed: ReadonlySet<string>): Row[] {
    const rows: Row[] = [];
    const stack: Array<{ id: string; depth: number; siblings: number; position: number }> = [];
    const { length } = this.#roots;
    this.#roots.forEach((id, index) => {
      stack.push({ id, depth: 0, siblings: length, position: length - index });
    });
    for (let next = stack.pop(); next; next = stack.pop()) {
      const { id, depth, siblings, position } = next;
      const node = this.#nodes.get(id);
      if (!node) continue;
      const { event, children } = node;
      const closed = collapsed.has(id);
      rows.push({ event, depth, children: children.length, siblings, position, collapsed: closed });
      if (closed) continue;
      for (let index = children.length - 1; index >= 0; index--) {
        const child = children[index] as string;
        stack.push({ id: child, depth: depth + 1, siblings: children.length, position: index + 1 });
      }
    }
    return rows;
  }

  /** All events, latest first, each for itself. */
  flat(): Row[] {
    const events = [...this.#nodes.values()].map(({ event }) => event);
    events.sort((a, b) => (a.id < b.id ? 1 : -1));
    return events.map((event, index) => ({
      event,
      depth: 0,
      children: 0,
      siblings: events.length,
      position: index + 1,
      collapsed: false,
    }));
  }
}

/** What a list of events is narrowed down to; empty texts do not restrict. */
export interface EventFilter {
  q: string;
  type: string;
  source: string;
}

/** What the server searches: the content, and further fields that are texts. */
function textOf(event: FeedEvent): string {
  const { id, nodeId, parentId, type, source, time, ...searched } = event;
  return Object.values(searched)
    .filter((value) => typeof value === "string")
    .join("\n");
}

/** Whether an event that has just come belongs into a filtered list, by the rules of the server's search. */
export function matches({ q, type, source }: EventFilter, event: FeedEvent): boolean {
  if (type !== "" && event.type !== type) return false;
  if (source !== "" && event.source !== source) return false;
  if (q === "") return true;
  const wanted = termsOf(q);
  const there = wordsOf(textOf(event));
  const isThere = (word: string) =>
    word.endsWith("*") ? there.some((other) => other.startsWith(word.slice(0, -1))) : there.includes(word);
  return wanted.length > 0 && wanted.every(isThere);
}
