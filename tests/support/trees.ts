/** Event trees for tests, closed and removed after each. */
import { afterEach } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type EventNode, EventTree, type EventTreeOptions } from "../../src/core/tree.js";

const open: EventTree[] = [];
const folders: string[] = [];

/** Called once by each test file, since a hook belongs to the file that sets it. */
export function cleanUpTrees(): void {
  afterEach(async () => {
    for (const made of open.splice(0)) await made.close();
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });
}

/** A tree in memory, unless a path is given. */
export function tree(options: Partial<EventTreeOptions> = {}): EventTree {
  const made = new EventTree({ path: ":memory:", ...options });
  open.push(made);
  return made;
}

/** The path of a file that is not there yet, in a folder that is not there either. */
export function file(): string {
  const folder = mkdtempSync(join(tmpdir(), "reef-tree-"));
  folders.push(folder);
  return join(folder, "data", "events.sqlite");
}

export const event = (content: string, more: Record<string, unknown> = {}) => ({
  type: "note",
  source: "test",
  content,
  ...more,
});

/** An id that no event has. */
export const unknown = "ffffffff-ffff-7fff-bfff-ffffffffffff";

export const ids = (events: readonly EventNode[]) => events.map(({ id }) => id);

/** Stores `number 0`, `number 1` and so on. */
export function fill(
  target: EventTree,
  count: number,
  more: Record<string, unknown> = {},
): Promise<EventNode[]> {
  return Promise.all(Array.from({ length: count }, (_, i) => target.append(event(`number ${i}`, more))));
}
