import { expect, test } from "bun:test";
import { PluginLogs } from "./logs.js";

const write = (logs: PluginLogs, pluginId: string, line = "x") =>
  logs.write({ pluginId, service: "main", stream: "stdout", line });

test("of plugins the latest lines are kept", () => {
  const logs = new PluginLogs(() => undefined);
  for (let n = 0; n < 510; n++) write(logs, "talker", String(n));
  expect(logs.of("talker")).toHaveLength(500);
  expect(logs.of("talker")?.[0]?.line).toBe("10");
});

test("those that have been silent for longest are forgotten when there are too many", () => {
  const logs = new PluginLogs(() => undefined, 3);
  for (const pluginId of ["a", "b", "c", "a", "d"]) write(logs, pluginId);
  expect(["a", "b", "c", "d"].map((pluginId) => logs.of(pluginId)?.length)).toEqual([2, undefined, 1, 1]);
});
