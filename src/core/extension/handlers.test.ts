import { describe, expect, test } from "bun:test";
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { HandlerGuard } from "./handlers.js";
import { Installation } from "./installation.js";

type Handler = (event: unknown, ctx: Context) => unknown;
interface Context {
  ui: { confirm(): Promise<boolean> };
  signal?: AbortSignal;
}

const HANGS = () => new Promise<never>(() => undefined);
const soon = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** The guards of some services, and a pi that has their handlers answer one after the other. */
function agent(limits: { usual?: number; toolCall?: number; hurried?: number }, services = ["a"]) {
  const handlers: [event: string, handler: Handler][] = [];
  const pi = {
    on: (event: string, handler: Handler) => void handlers.push([event, handler]),
  } as unknown as ExtensionAPI;
  const said: string[] = [];
  const installation = new Installation({ env: {}, warn: (line) => said.push(line) });
  const { usual = 60_000, toolCall = 60_000, hurried = 1 } = limits;
  const all = { usual, long: { tool_call: toolCall }, hurried };
  const guards = services.map((name) => new HandlerGuard(pi, name, installation, all));
  const on = (event: string, handler: Handler) => {
    for (const guard of guards) guard.on(event, handler as (event: unknown, ctx: unknown) => unknown);
  };
  const emit = async (event: string, ctx: Partial<Context> = {}) => {
    const results: unknown[] = [];
    for (const [name, handler] of handlers) {
      if (name === event) results.push(await handler({ type: event }, ctx as Context));
    }
    return results;
  };
  return { on, emit, said, limits: all };
}

describe("an answer that does not come", () => {
  test.each(["tool_call", "context"])("to %s is done without, and said", async (event) => {
    const { on, emit, said } = agent({ usual: 10, toolCall: 10 });
    on(event, HANGS);
    expect(await emit(event)).toEqual([undefined]);
    expect(said).toEqual([`[reef] a, on ${event}: no answer in time`]);
  });

  test("holds one event up once, however many services hang", async () => {
    const { on, emit } = agent({ usual: 400 }, ["a", "b", "c", "d", "e", "f"]);
    on("context", HANGS);
    const before = performance.now();
    await emit("context");
    expect(performance.now() - before).toBeLessThan(1600);
  });

  test("makes the service's others wait less, until it comes after all", async () => {
    const gate = Promise.withResolvers<void>();
    const { on, emit, limits } = agent({ usual: 10 });
    on("context", () => gate.promise);
    on("tool_result", () => soon(30).then(() => ({ isError: true })));
    on("tool_call", () => soon(30).then(() => ({ block: true })));
    await emit("context");
    limits.usual = 60_000;
    expect(await emit("tool_result"), "while it hangs").toEqual([undefined]);
    expect(await emit("tool_call"), "what has a limit of its own").toEqual([{ block: true }]);
    gate.resolve();
    await soon(60);
    expect(await emit("tool_result"), "when it has come").toEqual([{ isError: true }]);
  });

  test("is not waited for after the agent's abort, and what it was about does not happen", async () => {
    const { on, emit, said } = agent({});
    on("tool_call", HANGS);
    const controller = new AbortController();
    const emitting = emit("tool_call", { signal: controller.signal });
    controller.abort();
    expect(await emitting).toEqual([{ block: true, reason: "aborted" }]);
    expect(await emit("tool_call", { signal: controller.signal })).toEqual([
      { block: true, reason: "aborted" },
    ]);
    expect(said).toEqual([]);
  });
});

test("the time in which a handler asks the person at the terminal does not count", async () => {
  const asked = Promise.withResolvers<boolean>();
  const { on, emit, said } = agent({ toolCall: 20 });
  on("tool_call", async (_event, { ui }) => ((await ui.confirm()) ? undefined : { block: true }));
  const emitting = emit("tool_call", { ui: { confirm: () => asked.promise } });
  await soon(80);
  asked.resolve(false);
  expect(await emitting).toEqual([{ block: true }]);
  expect(said).toEqual([]);
});

test("once the person has answered, the time goes on", async () => {
  const { on, emit, said } = agent({ toolCall: 20 });
  on("tool_call", async (_event, { ui }) => {
    await ui.confirm();
    return HANGS();
  });
  expect(await emit("tool_call", { ui: { confirm: async () => true } })).toEqual([undefined]);
  expect(said).toHaveLength(1);
});
