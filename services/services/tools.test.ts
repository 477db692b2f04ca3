import { afterAll, beforeAll, describe, expect, spyOn, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { join } from "node:path";
import type { TestHarness } from "../../src/core/testing.js";
import { createTestAgent, type TestAgent } from "../../src/core/testing-agent.js";
import { answering, eventually, type Reef, startReef, TOKEN } from "../../tests/support/sandbox.js";
import services from "./index.js";

let reef: Reef;
let agent: TestAgent;

beforeAll(async () => {
  reef = await startReef({
    "lamp/index.ts": answering("lamp", "one"),
    "extra/index.ts": answering("extra", "x"),
  });
  symlinkSync(import.meta.dir, join(reef.sandbox.servicesDir, "services"));
  await reef.ctx.registry.sync();
  const harness = { app: reef.app, authToken: TOKEN } as TestHarness;
  agent = createTestAgent(harness, [services]);
});
afterAll(() => reef.end());

const result = async (tool: string, params = {}) => {
  const { details, content, isError } = await agent.call(tool, params);
  if (isError) throw new Error(content[0]?.text);
  return details.result as Record<string, unknown>;
};

test("every tool says what it does and describes each parameter", () => {
  expect(agent.tools.size).toBe(12);
  for (const { name, description, parameters } of agent.tools.values()) {
    expect(name).toMatch(/^services_[a-z]+$/);
    expect(description.length).toBeGreaterThan(40);
    for (const parameter of Object.values(
      parameters.properties as Record<string, { description?: string }>,
    )) {
      expect(parameter.description).toBeString();
    }
  }
});

test.each(["", ".", ".."])("the name %p is refused, not taken for another path", async (name) => {
  for (const tool of ["inspect", "logs", "versions", "reload", "rollback", "disable", "unload", "export"]) {
    const { isError, content } = await agent.call(`services_${tool}`, { name });
    expect([tool, isError, content[0]?.text]).toEqual([
      tool,
      true,
      expect.stringContaining(`"${name}" is not a valid service name`),
    ]);
  }
});

describe("an agent", () => {
  test("finds what is there", async () => {
    expect((await result("services_list")).count).toBe(3);
    expect((await result("services_manifest")).servicesWithTools).toEqual(["services"]);
    expect(await result("services_inspect", { name: "lamp" })).toMatchObject({
      state: "loaded",
      generation: 1,
    });
    expect((await result("services_logs", { name: "lamp" })).count).toBe(0);
  });

  test("changes a service and goes back", async () => {
    // The start answers first and copies what it serves afterwards.
    await eventually(
      async () => (await result("services_versions", { name: "lamp" })).count === 1,
      "the copy",
    );
    reef.sandbox.services({ "lamp/index.ts": answering("lamp", "two") });
    expect(await result("services_reload", {})).toMatchObject({
      results: [{ name: "lamp", action: "updated" }],
    });
    expect(await result("services_reload", { name: "lamp" })).toEqual({ name: "lamp", action: "updated" });
    expect((await result("services_versions", { name: "lamp" })).count).toBe(2);
    await result("services_rollback", { name: "lamp" });
    expect(await reef.text("/lamp")).toBe("one");
    expect(await result("services_deploy", { name: "lamp" })).toMatchObject({ deployed: true });
  });

  test("switches off and on, unloads, and finds the export", async () => {
    await result("services_disable", { name: "lamp", reason: "dark" });
    expect(await result("services_inspect", { name: "lamp" })).toMatchObject({
      state: "disabled",
      reason: "dark",
    });
    await result("services_enable", { name: "lamp" });
    expect(await reef.text("/lamp")).toBe("one");
    expect(await result("services_unload", { name: "extra" })).toEqual({ name: "extra", action: "removed" });
    expect(await result("services_export", { name: "lamp" })).toMatchObject({
      url: "http://reef.test/services/export/lamp",
    });
  });

  test("is told why something is refused, in the server's words", async () => {
    const unknown = await agent.call("services_deploy", { name: "nobody" });
    expect(unknown.isError).toBe(true);
    expect(unknown.content[0]?.text).toContain('there is no service or folder "nobody"');
    const itself = await agent.call("services_unload", { name: "services", force: true });
    expect(itself.content[0]?.text).toContain("409");
  });
});

describe("a deploy that fails", () => {
  const failing = (title: string) => `import { expect, test } from "bun:test";
    test(${JSON.stringify(title)}, () => { expect(1 + 1).toBe(3); });`;
  const deploy = async (tests: string) => {
    reef.sandbox.services({ "lamp/lamp.test.ts": tests });
    const { isError, content } = await agent.call("services_deploy", { name: "lamp" });
    expect(isError).toBe(true);
    return content[0]?.text ?? "";
  };

  test("is told with the failed step's detail: which test, where, what it expected and got", async () => {
    const text = await deploy(failing("the sum"));
    expect(text).toContain("POST /services/deploy (400): test: 1 of 1 tests failed: the sum");
    for (const part of ["lamp.test.ts:2", "Expected: 3", "Received: 2"]) expect(text).toContain(part);
  });

  test("says what failed once, and no more than a model can bear", async () => {
    const text = await deploy(failing(`the sum ${"x".repeat(50_000)}`));
    expect(text).toStartWith("Error: POST /services/deploy (400): test: ");
    expect(text.match(/1 of 1 tests failed/g)).toHaveLength(1);
    expect(text).toMatch(/Ran 1 test across 1 file\. \[[^\]]+\]$/);
    expect(text.length).toBeLessThan(7000);
  });
});

test("a deploy may take as long as it likes: no request lasts until its end", async () => {
  const gate = join(reef.sandbox.root, "gate");
  reef.sandbox.services({
    "lamp/lamp.test.ts": `import { existsSync } from "node:fs"; import { test } from "bun:test";
      test("waits", async () => { while (!existsSync(${JSON.stringify(gate)})) await Bun.sleep(5); }, 60_000);`,
  });
  const seen: unknown[] = [];
  const impatient = createTestAgent({ app: reef.app, authToken: TOKEN } as TestHarness, [services], {
    fetch: async (url, init) => {
      const reply = await reef.app.request(url.replace(/wait=\d+/, "wait=0"), init);
      const { status } = (await reply.clone().json()) as { status: string };
      seen.push(status);
      if (seen.length === 4) await Bun.write(gate, "");
      return reply;
    },
  });
  const { content, isError } = await impatient.call("services_deploy", { name: "lamp" });
  expect(seen.slice(0, 4)).toEqual(["running", "running", "running", "running"]);
  expect([isError, JSON.parse(content[0]?.text ?? "")]).toMatchObject([
    undefined,
    { name: "lamp", deployed: true },
  ]);
});

test("a deploy that the server does not know any more is not told as one that failed", async () => {
  const forgetful = createTestAgent({ app: reef.app, authToken: TOKEN } as TestHarness, [services], {
    fetch: async (url, init) => {
      await reef.app.request(url, init);
      return reef.app.request(init.method === "GET" ? "http://reef.test/services/deploys/other" : url, init);
    },
  });
  const { content, isError } = await forgetful.call("services_deploy", { name: "lamp" });
  expect([isError, content[0]?.text]).toEqual([true, expect.stringContaining("deploy not found")]);
  expect(content[0]?.text).toContain("services_inspect");
});

describe("a change that takes long", () => {
  const unanswered = async (tool: string, params: Record<string, unknown>) => {
    const given: unknown[] = [];
    const timeout = spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
      given.push(ms);
      return AbortSignal.abort();
    });
    try {
      const silent = createTestAgent({ app: reef.app, authToken: TOKEN } as TestHarness, [services], {
        fetch: async (_url, { signal }) => {
          signal?.throwIfAborted();
          return new Response();
        },
      });
      const { content } = await silent.call(tool, params);
      return { given, text: content[0]?.text };
    } finally {
      timeout.mockRestore();
    }
  };

  test("is waited for as long as a request can last", async () => {
    for (const [tool, params] of [
      ["services_enable", { name: "lamp" }],
      ["services_reload", {}],
      ["services_unload", { name: "lamp" }],
    ] as const) {
      const { given } = await unanswered(tool, params);
      expect([tool, Math.min(...given.map(Number))]).toEqual([tool, 290_000]);
    }
    expect((await unanswered("services_list", {})).given).toEqual([30_000]);
  });

  test("is not told as one that failed when no answer came", async () => {
    const { text } = await unanswered("services_enable", { name: "lamp" });
    expect(text).toContain("POST /services/enable/lamp (no response): no response within 290000 ms");
    expect(text).toContain("may still be running");
    expect(text).toContain("services_inspect");
    expect((await unanswered("services_list", {})).text).not.toContain("under way");
  });
});
