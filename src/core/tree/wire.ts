/** Events as they are sent to clients. */
import type { EventNode, JsonValue } from "./log.js";

/** An event as sent to clients: further fields are beside the fixed ones. */
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

/** Converts an event for clients. */
export function toWire(node: EventNode): WireEvent {
  const { id, parentId, type, source, content, time, extra } = node;
  return { id, nodeId: id, parentId, type, source, content, time, ...extra };
}

/** Cached JSON of types and sources, which are few and recur. */
const names = new Map<string, string>();
const MAX_CACHED = 1000;

function quoted(name: string): string {
  let json = names.get(name);
  if (json === undefined) {
    if (names.size >= MAX_CACHED) names.clear();
    json = JSON.stringify(name);
    names.set(name, json);
  }
  return json;
}

/** `JSON.stringify(toWire(node))`, but faster: ids and times have nothing that must be escaped. */
export function toWireJson(node: EventNode): string {
  const { id, parentId, type, source, content, time, extra } = node;
  const rest = JSON.stringify(extra);
  return `{"id":"${id}","nodeId":"${id}","parentId":${parentId === null ? "null" : `"${parentId}"`},"type":${quoted(type)},"source":${quoted(source)},"content":${JSON.stringify(content)},"time":"${time}"${rest === "{}" ? "" : ","}${rest.slice(1)}`;
}
