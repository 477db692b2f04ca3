import { describe, expect, test } from "bun:test";
import { contextFor, eventFor, Owner } from "./owner.js";
import { reportToService } from "./owner-context.js";

const owned = () => {
  const reported: unknown[] = [];
  return { owner: new Owner((error) => reported.push(error)), reported };
};

interface Given {
  signal: AbortSignal;
  ui: { confirm(): Promise<boolean> };
}
const contextOf = (signal: AbortSignal) => ({
  hasUI: true,
  signal,
  ui: { confirm: () => new Promise<boolean>(() => undefined) },
});

describe("a signal that a service is given", () => {
  test.each<[string, (owner: Owner, signal: AbortSignal) => unknown]>([
    ["a context", (owner, signal) => contextFor(owner, contextOf(signal))],
    ["an event", (owner, signal) => eventFor(owner, { type: "session_before_tree", signal })],
    [
      "the context of a callback",
      (owner, signal) => {
        let given: unknown;
        const agent = { command: (run: (args: string, ctx: unknown) => void) => run("", contextOf(signal)) };
        owner.view(agent).command((_args, ctx) => {
          given = ctx;
        });
        return given;
      },
    ],
  ])("with %s has listeners that run on its account", (_what, give) => {
    const { owner, reported } = owned();
    const controller = new AbortController();
    const given = give(owner, controller.signal) as Given;
    const { signal } = given;
    expect(given.signal).toBe(signal);
    signal.addEventListener("abort", () => reportToService("from a listener"));
    controller.abort("enough");
    expect(reported).toEqual(["from a listener"]);
    expect(signal.reason).toBe("enough");
  });

  test("is aborted when the agent's was before", () => {
    const { owner } = owned();
    const signal = owner.signal(AbortSignal.abort("before"));
    expect(signal.aborted).toBe(true);
    expect(signal.reason).toBe("before");
  });
});

test("an event keeps what a handler changes in it", () => {
  const event = { signal: new AbortController().signal, customInstructions: "" };
  const view = eventFor(owned().owner, event) as typeof event;
  view.customInstructions = "be brief";
  expect(event.customInstructions).toBe("be brief");
});

test("a question that is asked through the context of a callback is known", () => {
  const { owner } = owned();
  const agent = { command: (run: (ctx: unknown) => void) => run(contextOf(new AbortController().signal)) };
  owner.view(agent).command((ctx) => void (ctx as Given).ui.confirm());
  expect(owner.dialogs.areOpen).toBe(true);
});
