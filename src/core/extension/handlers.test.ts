import { describe, expect, test } from "bun:test";
import type { ExtensionAPI } from "@mariozechner/pi-coding-agent";
import { HandClock } from "../../../tests/support/hand-clock.js";
import { HandlerGuard } from "./handlers.js";
import { Installation } from "./installation.js";

type Handler = (event: unknown, ctx: Context) => unknown;
interface Context {
  ui: { confirm(): Promise<boolean> };
  signal?: AbortSignal;
}

const HANGS = () => new Promise<never>(() => undefined);

/** The guards of some services, and a pi that has their handlers answer one after the other. */
function agent(services = ["a"]) {
  const handlers: [event: string, handler: Handler][] = [];
  const pi = {
    on: (event: string, handler: Handler) => void handlers.push([event, handler]),
  } as unknown as ExtensionAPI;
  const said: string[] = [];
  const installation = new Installation({ env: {}, warn: (line) => said.push(line) });
  const clock = new HandClock();
  const guards = services.map((name) => new HandlerGuard(pi, name, installation, clock));
  /** Every service's handler, or the one of a service by its place. */
  const on = (event: string, handler: Handler, which?: number) => {
    for (const guard of which === undefined ? guards : guards.slice(which, which + 1))
      guard.on(event, handler as (event: unknown, ctx: unknown) => unknown);
  };
  const emit = async (event: string, ctx: Partial<Context> = {}) => {
    const results: unknown[] = [];
    for (const [name, handler] of handlers) {
      if (name === event) results.push(await handler({ type: event }, ctx as Context));
    }
    return results;
  };
  return { on, emit, said, clock };
}

const late = (service: string) => ({ block: true, reason: `${service} timed out` });

describe("an answer that does not come", () => {
  test.each<[string, number, unknown]>([
    ["context", 2500, undefined],
    ["input", 10_000, undefined],
    ["tool_call", 10_000, late("a")],
    ["session_before_compact", 60_000, undefined],
  ])("to %s is done without after %d ms, and said", async (event, ms, answer) => {
    const { on, emit, said, clock } = agent();
    on(event, HANGS);
    expect(await clock.until(emit(event))).toEqual([answer]);
    expect(clock.now()).toBe(ms);
    expect(said).toEqual([`[reef] a, on ${event}: timed out`]);
  });

  test("holds one event up once, however many services hang", async () => {
    const { on, emit, clock } = agent(["a", "b", "c", "d", "e", "f"]);
    on("context", HANGS);
    await clock.until(emit("context"));
    expect(clock.now()).toBe(2500 + 5 * 250);
  });

  test("makes the service's others wait less, until it comes after all", async () => {
    const gate = Promise.withResolvers<void>();
    const { on, emit, clock } = agent();
    on("context", () => gate.promise);
    on("tool_result", () => clock.sleep(300).then(() => ({ isError: true })));
    on("tool_call", () => clock.sleep(300).then(() => ({ block: true })));
    await clock.until(emit("context"));
    expect(await clock.until(emit("tool_result")), "while it hangs").toEqual([undefined]);
    expect(await clock.until(emit("tool_call")), "what decides").toEqual([{ block: true }]);
    gate.resolve();
    await clock.advance(1000);
    expect(await clock.until(emit("tool_result")), "when it has come").toEqual([{ isError: true }]);
  });

  test("is not waited for after the agent's abort, and what it was about does not happen", async () => {
    const { on, emit, said, clock } = agent();
    on("tool_call", HANGS);
    const controller = new AbortController();
    const emitting = emit("tool_call", { signal: controller.signal });
    controller.abort();
    expect(await emitting).toEqual([{ block: true, reason: "aborted" }]);
    expect(await clock.until(emit("tool_call", { signal: controller.signal }))).toEqual([
      { block: true, reason: "aborted" },
    ]);
    expect(clock.now()).toBe(250);
    expect(said).toEqual([]);
  });

  test("is not waited for long by a handler that aborts the agent itself", async () => {
    const { on, emit, clock } = agent();
    const controller = new AbortController();
    on("tool_call", () => {
      controller.abort();
      return HANGS();
    });
    expect(await clock.until(emit("tool_call", { signal: controller.signal }))).toEqual([
      { block: true, reason: "aborted" },
    ]);
    expect(clock.now()).toBe(250);
  });
});

describe("what is to be decided", () => {
  test("waits for each service, whatever the others take", async () => {
    const { on, emit, clock } = agent(["hangs", "gate"]);
    on("tool_call", HANGS, 0);
    on("tool_call", () => clock.sleep(400).then(() => ({ block: true })), 1);
    expect(await clock.until(emit("tool_call"))).toEqual([late("hangs"), { block: true }]);
  });

  test("waits for a service as long as ever after it was late, and while that answer still hangs", async () => {
    const { on, emit, clock } = agent();
    const times = [12_000, 400];
    on("tool_call", () => clock.sleep(times.shift() ?? 0).then(() => ({ block: true })));
    const first = emit("tool_call");
    await clock.advance(10_000);
    expect(await first).toEqual([late("a")]);
    expect(await clock.until(emit("tool_call"))).toEqual([{ block: true }]);
  });

  test("happens when a handler fails, which is said", async () => {
    const { on, emit, said } = agent();
    on("tool_call", async () => {
      throw new Error("a mistake");
    });
    expect(await emit("tool_call")).toEqual([undefined]);
    expect(said).toEqual(["[reef] a, on tool_call: a mistake"]);
  });
});

describe("the time in which a handler asks the person at the terminal", () => {
  test("does not count", async () => {
    const asked = Promise.withResolvers<boolean>();
    const { on, emit, said, clock } = agent();
    on("tool_call", async (_event, { ui }) => ((await ui.confirm()) ? undefined : { block: true }));
    const emitting = emit("tool_call", { ui: { confirm: () => asked.promise } });
    await clock.advance(3_600_000);
    asked.resolve(false);
    expect(await emitting).toEqual([{ block: true }]);
    expect(said).toEqual([]);
  });

  test("does not count either when it asks through a context that it was given before", async () => {
    const asked = Promise.withResolvers<boolean>();
    const { on, emit, said, clock } = agent();
    let kept: Context["ui"] | undefined;
    on("session_start", (_event, { ui }) => {
      kept = ui;
    });
    on("tool_call", async () => ((await kept?.confirm()) ? undefined : { block: true }));
    const ctx = { ui: { confirm: () => asked.promise } };
    await emit("session_start", ctx);
    const emitting = emit("tool_call", { ui: { confirm: async () => true } });
    await clock.advance(11_000);
    asked.resolve(false);
    expect(await emitting).toEqual([{ block: true }]);
    expect(said).toEqual([]);
  });

  test("counts for other services", async () => {
    const { on, emit, clock } = agent(["asks", "hangs"]);
    on("session_start", (_event, { ui }) => void ui.confirm(), 0);
    on("tool_call", HANGS, 1);
    await emit("session_start", { ui: { confirm: HANGS } });
    expect(await clock.until(emit("tool_call"))).toEqual([late("hangs")]);
  });

  test("goes on once the person has answered", async () => {
    const { on, emit, said, clock } = agent();
    on("tool_call", async (_event, { ui }) => {
      await ui.confirm();
      return HANGS();
    });
    const emitting = emit("tool_call", { ui: { confirm: async () => true } });
    expect(await clock.until(emitting)).toEqual([late("a")]);
    expect(said).toHaveLength(1);
  });
});
