import { describe, expect, test } from "bun:test";
import type { EventNode } from "./log.js";
import { toWire, toWireJson } from "./wire.js";

const node: EventNode = {
  id: "01a1fbbe-1a2a-71b8-8a11-a144e846d5f5",
  parentId: null,
  type: "note",
  source: "tests",
  content: "hello",
  time: "2026-01-31T12:00:00.000Z",
  extra: {},
};

describe("the JSON of an event", () => {
  test.each<[string, Partial<EventNode>]>([
    ["without further fields", {}],
    ["with a parent", { parentId: "01a1fbbe-1a2a-71b8-8a11-a144e846d5f4" }],
    ["with further fields", { extra: { taskId: 7, by: { name: "ann" }, tags: ["a", null] } }],
    ["with quotes and line ends everywhere", { type: '"t"\n', source: "\\s\u0000", content: '"}\r\n\u2028' }],
    ["with fields of odd names", { extra: { "": 1, '"': 2, constructor: 3, "a b": 4 } }],
    ["with other scripts", { content: "Grüße, 你好, 🎉", source: "ä", type: "🎉", extra: { ключ: "ñ" } }],
  ])("%s is that of the object", (_what, fields) => {
    const event = { ...node, ...fields };
    expect(JSON.parse(toWireJson(event))).toEqual(toWire(event));
    expect(toWireJson(event)).toBe(JSON.stringify(toWire(event)));
  });

  test("keeps a field named __proto__", () => {
    const extra = JSON.parse('{"__proto__": {"a": 1}}');
    expect(toWireJson({ ...node, extra })).toEndWith(',"__proto__":{"a":1}}');
  });

  test("is right for more types than are remembered", () => {
    for (let i = 0; i < 2500; i++) {
      const event = { ...node, type: `type ${i % 1500}`, source: `"${i}"` };
      expect(toWireJson(event)).toBe(JSON.stringify(toWire(event)));
    }
  });
});
