import { afterAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { ReefProcess } from "../../../tests/support/process.js";
import { eventually, Sandbox } from "../../../tests/support/sandbox.js";

const ROOT = join(import.meta.dir, "..", "..", "..");

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

/** Runs a host that imports `service` into a graph after the guard is up, and then exits with 42. */
async function run(service: string): Promise<{ code: number | null; output: string }> {
  sandbox.write("service.ts", service);
  const host = sandbox.write(
    "host.ts",
    `import { guardProcess } from ${JSON.stringify(join(import.meta.dir, "process-guard.ts"))};
     import { ownProcess, processOfGraph } from ${JSON.stringify(join(import.meta.dir, "own-process.ts"))};
     const cwd = process.cwd();
     // Without the guard some of these would reach the tests' own processes, and everybody else's.
     const { kill } = process;
     process.kill = (pid, signal) => {
       if (signal === 0 || pid > 1 && pid !== process.pid) return Reflect.apply(kill, process, [pid, signal]);
       console.log("not refused: " + pid);
     };
     guardProcess();
     guardProcess();
     process.on("SIGUSR2", () => console.log("host hears it"));
     console.log("host: " + process.listenerCount("SIGUSR2"));
     const graph = new Bun.ModuleGraph({ onError: (error) => console.log("late: " + error.message) });
     const own = ownProcess("s", "/data", (event, listener) => {
       try { listener(); } catch (error) { console.log("listener of " + event + ": " + error.message); }
     });
     own.onChange = (count) => console.log("listeners: " + count);
     processOfGraph.set(graph, own.process);
     await graph.import(${JSON.stringify(join(sandbox.root, "service.ts"))}).catch((error) => console.log("import: " + error.message));
     await Bun.sleep(20);
     console.log("host goes on in " + (process.cwd() === cwd));
     console.log("before the end: " + process.listenerCount("SIGUSR2"));
     own.release();
     console.log("after the end: " + process.listenerCount("SIGUSR2"));
     process.emit("SIGUSR2");
     process.chdir("/");
     process.kill(process.pid, 0);
     console.log("host moved to " + process.cwd());
     process.exit(42);`,
  );
  const child = Bun.spawn([process.execPath, host], { stdout: "pipe", stderr: "pipe" });
  const [output, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  return { code, output };
}

test.each([
  ["by name", "globalThis.process.exit(1);"],
  ["by import", 'import { exit } from "node:process"; exit(1);'],
  ["by require", 'require("process").exit(1);'],
  ["by its inner name", "globalThis.process.reallyExit(1);"],
  ["with a crash", "globalThis.process.abort();"],
  ["in a timer", "setTimeout(() => globalThis.process.exit(1), 1);"],
  ["after an await", "await Bun.sleep(1); globalThis.process.exit(1);"],
  ["in a promise", "Promise.resolve().then(() => globalThis.process.exit(1));"],
])("code of a graph cannot end the process %s; the host can", async (_what, service) => {
  const { code, output } = await run(service);
  expect(output).toMatch(/(import|late): process\.\w+\(\) would end the whole server/);
  expect(output).toContain("host goes on in true");
  expect(code).toBe(42);
});

test.each([
  ["by import", 'import process from "node:process"; process.chdir("/");'],
  ["by a named import", 'import { chdir } from "node:process"; chdir("/");'],
  ["later", 'setTimeout(() => globalThis.process.chdir("/"), 1);'],
])("code of a graph cannot move the process %s; the host can", async (_what, service) => {
  const { code, output } = await run(service);
  expect(output).toMatch(/(import|late): process\.chdir\(\) would move the whole server/);
  expect(output).toContain("host goes on in true");
  expect(output).toContain("host moved to /");
  expect(code).toBe(42);
});

test.each([
  ["by its id", 'process.kill(process.pid, "SIGKILL");'],
  ["with its group", "process.kill(-process.pid);"],
  ["as the group that is meant by 0", 'process.kill(0, "SIGTERM");'],
  ["with all others", 'process.kill(-1, "SIGTERM");'],
])("code of a graph cannot send the process a signal %s", async (_what, service) => {
  const { code, output } = await run(`import process from "node:process"; ${service}`);
  expect(output).toContain("import: process.kill() would end the whole server");
  expect(code).toBe(42);
});

test("code of a graph can ask whether a process is there, and send signals to others", async () => {
  const { code, output } = await run(
    `import process from "node:process";
     process.kill(process.pid, 0);
     const child = Bun.spawn(["sleep", "60"]);
     process.kill(child.pid, "SIGKILL");
     await child.exited;
     console.log("ended by " + child.signalCode);`,
  );
  expect(output).toContain("ended by SIGKILL");
  expect(code).toBe(42);
});

describe("listeners that code of a graph registers on the real process", () => {
  test.each(["on", "addListener", "once", "prependListener", "prependOnceListener"])(
    "%s: are its own, counted, and gone with it",
    async (method) => {
      const { code, output } = await run(
        `import process from "node:process"; process.${method}("SIGUSR2", () => console.log("service hears it"));`,
      );
      expect(output).toContain("host: 1\nlisteners: 1\n");
      expect(output).toContain("before the end: 2\nlisteners: 0\nafter the end: 1\nhost hears it\n");
      expect(output).not.toContain("service hears it");
      expect(code).toBe(42);
    },
  );

  test("are called in its context, with what they throw; the server's own do not hear what it emits", async () => {
    const { output } = await run(
      `import { emit, on } from "node:process";
       on("SIGUSR2", () => { throw new Error("oops"); });
       globalThis.process.emit("SIGUSR2");`,
    );
    expect(output).toContain("listener of SIGUSR2: oops\n");
    expect(output.split("after the end")[0]).not.toContain("host hears it");
  });

  test.each([
    ["off", "SIGUSR2", "listener"],
    ["removeListener", "SIGUSR2", "listener"],
    ["removeAllListeners", "SIGUSR2", ""],
  ])("%s takes back its own alone", async (method, event, listener) => {
    const { output } = await run(
      `import process from "node:process";
       const listener = () => undefined;
       process.on("SIGUSR2", listener);
       process.${method}("${event}"${listener && `, ${listener}`});`,
    );
    expect(output).toContain("listeners: 1\nlisteners: 0\n");
    expect(output).toContain("before the end: 1\n");
  });
});

test("a server counts the listeners that a service has on the real process, and a reload takes them back", async () => {
  sandbox.services({
    "services/index.ts": `export { default } from ${JSON.stringify(join(ROOT, "services", "services", "index.ts"))};`,
    "listens/index.ts": `import process from "node:process";
import { Hono } from "hono";
process.on("SIGUSR2", () => { throw new Error("oops"); });
const routes = new Hono().get("/", (c) => c.json(process.listenerCount("SIGUSR2")));
export default { name: "listens", routes };`,
  });
  const reef = await new ReefProcess(sandbox).serving("listens", "services");
  const listeners = async () => {
    const reply = await reef.call("/services/listens");
    return [await reply.text(), await (await reef.call("/listens")).json()];
  };
  for (let n = 0; n < 3; n++) {
    const [text] = await listeners();
    expect(text).toContain('"processListeners":1');
    // A version that was exchanged lets go once its last replies are out.
    await eventually(async () => (await listeners())[1] === 1, "one listener alone");
    expect((await reef.call("/services/reload/listens", { method: "POST" })).status).toBe(200);
  }
  reef.child.kill("SIGUSR2");
  await eventually(() => reef.output.includes("oops"), "the listener's error");
  expect(reef.output).toMatch(/listens.*listener of process "SIGUSR2"/);
  expect((await reef.call("/listens")).status).toBe(200);
  expect(await reef.stop()).toBe(0);
});
