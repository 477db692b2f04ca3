/** Walks paths and subtrees of events. */
import { type Row, toNode } from "./database.js";
import { EventLogError } from "./errors.js";
import type { EventNode, EventPath, PageRequest, SubtreeEntry, SubtreePage } from "./log.js";
import { type EventReader, pageCursor, pageLimit } from "./reader.js";

/** The maximum length of an ancestor chain. */
const MAX_ANCESTORS = 10_000;

/** The path from the root to an event: at most `limit` events, those nearest to the event. */
export function path(reader: EventReader, id: string, limit = 1000): EventPath | null {
  const most = pageLimit({ limit });
  const events: EventNode[] = [];
  let node = reader.get(id);
  if (!node) return null;
  while (node && events.length < most) {
    events.push(node);
    node = node.parentId === null ? null : reader.get(node.parentId);
  }
  events.reverse();
  return { events, complete: events[0]?.parentId === null };
}

/** The rows from `root` down to `last`. */
function branch(reader: EventReader, root: string, last: string): Row[] {
  const rows: Row[] = [];
  for (let id: string | null = last; id !== null && rows.length < MAX_ANCESTORS; ) {
    const row: Row | undefined = reader.row(id);
    if (!row) break;
    rows.push(row);
    if (id === root) return rows.reverse();
    id = row.parent;
  }
  throw new EventLogError("invalid", `"cursor" is not valid for this event's subtree.`);
}

/** An event and its descendants, depth first, siblings in id order. */
export function subtree(
  reader: EventReader,
  id: string,
  page: PageRequest & { maxDepth?: number },
): SubtreePage | null {
  const limit = pageLimit(page);
  const { maxDepth = MAX_ANCESTORS } = page;
  if (!Number.isInteger(maxDepth) || maxDepth < 0 || maxDepth > MAX_ANCESTORS) {
    throw new EventLogError("invalid", `"maxDepth" must be a whole number from 0 to ${MAX_ANCESTORS}.`);
  }
  const root = reader.row(id);
  if (!root) return null;
  const cursor = pageCursor(page);
  const entries: SubtreeEntry[] = [];
  // The ancestors of the current position, each with the child visited last.
  const open: Row[] = cursor === undefined ? [root] : branch(reader, id, cursor);
  if (cursor === undefined) entries.push({ event: toNode(root), depth: 0 });

  let under = open.at(-1);
  let after = 0;
  while (under) {
    const next: Row | undefined =
      open.length <= maxDepth ? reader.childrenAfter(under.id, after, 1)[0] : undefined;
    if (next) {
      if (entries.length === limit) return { entries, next: entries.at(-1)?.event.id ?? null };
      entries.push({ event: toNode(next), depth: open.length });
      open.push(next);
      after = 0;
    } else {
      after = open.pop()?.seq ?? 0;
    }
    under = open.at(-1);
  }
  return { entries, next: null };
}
