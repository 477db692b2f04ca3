/** How calls end when it is not their method that says so. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { eventually } from "../../tests/support/sandbox.js";
import { yieldToEventLoop } from "../core/event-loop.js";
import { failure, testBroker } from "./testing/fixtures.js";

const OTHERS = `import { services } from "reef/broker";
  const loop = (ms) => { const end = Date.now() + ms; while (Date.now() < end) ; };
  export default { services: { main: {
    async wait() { await new Promise(() => {}); },
    async work({ ms }) { loop(ms); return process.pid; },
    async ask() { return services.call("loud", "main", "shout"); },
  } } };`;

test("a call that runs when the broker is closed is told so", async () => {
  const closing = testBroker();
  await closing.add({ id: "others", methods: { wait: {} }, code: OTHERS });
  const call = failure(closing.broker.call("others", "main", "wait", {}));
  while (closing.broker.workers()[0]?.inFlight !== 1) await Bun.sleep(5);
  await closing.close();
  expect(await call).toMatchObject({ code: "unavailable" });
});

test("a caller that hangs up does not bring down the worker that is busy with its call", async () => {
  const busy = testBroker({ pingTimeout: 100 });
  await busy.add({ id: "others", methods: { work: {} }, code: OTHERS });
  const work = (ms: number, signal?: AbortSignal) =>
    busy.broker.call<number>(
      "others",
      "main",
      "work",
      { ms },
      { timeout: 10_000, ...(signal && { signal }) },
    );
  const pid = await work(0);
  const hangUp = new AbortController();
  const call = failure(work(500, hangUp.signal));
  await Bun.sleep(50);
  hangUp.abort();
  expect(await call).toMatchObject({ code: "cancelled" });
  expect(await work(0)).toBe(pid);
  expect(busy.events.filter(({ type }) => type === "broker.worker_crashed")).toEqual([]);
  await busy.close();
});

test("a worker that is stuck in a call whose caller has hung up is soon replaced", async () => {
  const stuck = testBroker({ pingTimeout: 50, restartDelay: 1 });
  await stuck.add({ id: "others", methods: { work: {} }, code: OTHERS });
  const work = (ms: number, options: object) =>
    stuck.broker.call<number>("others", "main", "work", { ms }, options);
  const pid = await work(0, {});
  const hangUp = new AbortController();
  const call = failure(work(600_000, { timeout: 600_000, signal: hangUp.signal }));
  await Bun.sleep(20);
  hangUp.abort();
  await call;
  expect(await work(0, { timeout: 20_000 })).not.toBe(pid);
  await stuck.close();
});

test("a worker that withdraws what it asked for, as often as it asked, is no flood", async () => {
  const fanning = testBroker();
  fanning.broker.registerLocal("sink", "main", { hang: { handler: () => new Promise(() => undefined) } });
  await fanning.add({
    id: "fan",
    permissions: [{ permission: "service:call", allow: ["sink"] }],
    methods: { out: {}, pid: {} },
    code: `import { currentCall, services } from "reef/broker";
      const ask = (signal) => services.call("sink", "main", "hang", {}, { signal }).catch(() => undefined);
      export default { services: { main: {
        async out() { const { signal } = currentCall(); await Promise.all(Array.from({ length: 60 }, () => ask(signal))); await new Promise(() => {}); },
        pid: () => process.pid,
      } } };`,
  });
  const pid = await fanning.broker.call<number>("fan", "main", "pid");
  for (let round = 0; round < 20; round++) {
    const call = failure(fanning.broker.call("fan", "main", "out", {}, { timeout: 30 }));
    expect(await call).toMatchObject({ code: "timeout" });
  }
  expect(await fanning.broker.call<number>("fan", "main", "pid")).toBe(pid);
  await fanning.close();
});

test("an error that is too large to be passed on arrives without its details", async () => {
  const loud = testBroker({ maxMessage: 100_000 });
  await loud.add({
    id: "others",
    permissions: [{ permission: "service:call", allow: ["loud"] }],
    methods: { ask: {} },
    code: OTHERS,
  });
  await loud.add({
    id: "loud",
    methods: { shout: {} },
    code: `import { writeSync } from "node:fs";
      export default { services: { main: { async shout() {
        const error = { name: "E", message: "loud", details: { x: "y".repeat(99_930) } };
        writeSync(3, JSON.stringify([4, 1, error]) + "\\n");
        await new Promise(() => {});
      } } } };`,
  });
  const failed = await failure(loud.broker.call("others", "main", "ask", {}, { timeout: 5000 }));
  expect(failed).toMatchObject({ code: "method_failed", message: expect.stringContaining("loud") });
  await loud.close();
});

test("a permission that is missing inside of a method is what the caller learns", async () => {
  const lacking = testBroker();
  await lacking.add({
    id: "lacking",
    methods: { keep: {} },
    code: `import { storage } from "reef/broker";
      export default { services: { main: { keep: () => storage.set("a", 1) } } };`,
  });
  expect(await failure(lacking.broker.call("lacking", "main", "keep", {}))).toMatchObject({
    code: "permission_denied",
    status: 403,
    details: { denial: { permission: "storage" }, method: "lacking/main/keep" },
  });
  await lacking.close();
});

test("callers that fill all workers and wait for another one each get their answers", async () => {
  const full = testBroker({ maxWorkers: 3, maxDepth: 4 });
  const asking = (target: string) => `import { services } from "reef/broker";
    export default { services: { main: { async go() {
      await Bun.sleep(50);
      return services.call("${target}", "main", "go");
    } } } };`;
  const permissions = [{ permission: "service:call", allow: ["*"] }];
  for (const id of ["one", "two", "three"]) {
    await full.add({ id, permissions, methods: { go: {} }, code: asking("middle") });
  }
  await full.add({ id: "middle", permissions, methods: { go: {} }, code: asking("leaf") });
  const leaf = "export default { services: { main: { go: () => 7 } } };";
  await full.add({ id: "leaf", methods: { go: {} }, code: leaf });
  const calls = ["one", "two", "three"].map((id) => full.broker.call<number>(id, "main", "go"));
  expect(await Promise.all(calls)).toEqual([7, 7, 7]);
  await full.close();
});

test("a call that comes after its worker has hung up goes to the next one", async () => {
  const hung = testBroker({ restartDelay: 1 });
  await hung.add({
    id: "hung",
    methods: { up: {}, answer: {} },
    code: `export default { services: { main: {
      up: () => { require("node:fs").closeSync(3); console.log("hung up"); return new Promise(() => {}); },
      answer: () => 1,
    } } };`,
  });
  const lost = failure(hung.broker.call("hung", "main", "up", {}));
  await eventually(() => hung.logs.length > 0, "the line");
  // Its hanging up came before its line, at the latest with it.
  await yieldToEventLoop();
  expect(await hung.broker.call<number>("hung", "main", "answer", {})).toBe(1);
  expect(await lost).toMatchObject({ code: "worker_died" });
  await hung.close();
});

test("who ends the server from its terminal does not end its workers, which still answer", async () => {
  const script = `
    import { writeFileSync } from "node:fs";
    import { join } from "node:path";
    import { testBroker } from ${JSON.stringify(join(import.meta.dir, "testing/fixtures.ts"))};
    const own = testBroker();
    process.on("SIGINT", () => writeFileSync(join(own.folder, "slow/interrupted"), ""));
    await own.add({
      id: "slow",
      methods: { nap: {} },
      code: \`import { existsSync } from "node:fs";
        const isOver = () => existsSync(process.env.EXTENSION + "/interrupted");
        const nap = async () => { while (!isOver()) await Bun.sleep(5); return "rested"; };
        export default { services: { main: { nap } } };\`,
    });
    const nap = own.broker.call("slow", "main", "nap", {});
    while (own.broker.workers()[0]?.inFlight !== 1) await Bun.sleep(5);
    console.log("asleep");
    console.log(await nap.catch(String));
    await own.close();`;
  const server = Bun.spawn([process.execPath, "-e", script], {
    stdio: ["ignore", "pipe", "inherit"],
    detached: true,
  });
  const lines = server.stdout.pipeThrough(new TextDecoderStream()).getReader();
  expect((await lines.read()).value).toBe("asleep\n");
  // What a terminal does with Ctrl+C.
  process.kill(-server.pid, "SIGINT");
  expect((await lines.read()).value).toBe("rested\n");
  await server.exited;
});

test("a supervisor that asks all processes to end leaves it to the server to end its workers", async () => {
  const asked = testBroker();
  await asked.add({
    id: "slow",
    methods: { nap: {} },
    code: "export default { services: { main: { nap: ({ ms }) => Bun.sleep(ms).then(() => process.pid) } } };",
  });
  const pid = await asked.broker.call<number>("slow", "main", "nap", { ms: 0 });
  const nap = asked.broker.call<number>("slow", "main", "nap", { ms: 100 });
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.kill(pid, signal);
  expect(await nap).toBe(pid);
  await asked.close();
});
