import type { EventNode } from "../../src/core/tree.js";

/** An event as services publish them, as if it had just been stored. */
export function sampleEvent(content: string): EventNode {
  return {
    id: Bun.randomUUIDv7(),
    parentId: null,
    type: "task_updated",
    source: "board",
    content,
    time: new Date().toISOString(),
    extra: { taskId: "01a1fbbe-1a2a-71b8-8a11-a144e846d5f5", status: "in_review", by: "agent-7" },
  };
}
