/** Plugins as people write them: that `tsc` accepts them is the test. */
import { expect, test } from "bun:test";
import type { LocalCall, LocalMethod } from "./calls/local.js";
import { type ServiceDefinition, services } from "./client.js";

test("methods say themselves what their input is, or leave it open", () => {
  interface Pair {
    a: number;
    b: number;
  }
  const definition = {
    services: {
      math: {
        add: ({ a, b }: Pair) => ({ result: a + b }),
        async multiply(pair: Pair) {
          return { result: pair.a * pair.b };
        },
        negate(input) {
          return { result: -input.a };
        },
        describe: (raw: unknown) => ({ text: String(raw) }),
      },
    },
    onInit: () => performance.now(),
  } satisfies ServiceDefinition;
  expect(definition.services.math.add({ a: 5, b: 3 })).toEqual({ result: 8 });
  expect(definition.services.math.negate({ a: 5 })).toEqual({ result: -5 });
});

test("so do the methods that a service offers", async () => {
  const methods: Record<string, LocalMethod> = {
    next: { handler: (input) => input.n + 1 },
    double: { handler: ({ n }: { n: number }) => 2 * n },
    sum: {
      async handler(input, { call }) {
        const { result } = await call("com.example.math-plugin", "math", "add", input);
        return result;
      },
    },
  };
  expect(methods.next?.handler({ n: 1 }, {} as LocalCall)).toBe(2);
});

test("what a call answers is read as it comes, or has the type that is asked for", async () => {
  async function sum(): Promise<number> {
    const { result } = await services.call("com.example.math-plugin", "math", "add", { a: 5, b: 3 });
    const typed = await services.call<{ result: number }>("com.example.math-plugin", "math", "add", result);
    return typed.result;
  }
  await expect(sum()).rejects.toThrow("only in the worker of a service plugin");
});
