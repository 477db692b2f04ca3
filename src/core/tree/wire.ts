import type { EventNode, JsonValue } from "./log.js";

/** An event as it is sent to clients: its further fields stand beside the fixed ones. */
export interface WireEvent {
  id: string;
  /** The same as `id`. */
  nodeId: string;
  parentId: string | null;
  type: string;
  source: string;
  content: string;
  time: string;
  [field: string]: JsonValue;
}

export function toWire(node: EventNode): WireEvent {
  const { id, parentId, type, source, content, time, extra } = node;
  return { id, nodeId: id, parentId, type, source, content, time, ...extra };
}
