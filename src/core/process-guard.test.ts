import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { Sandbox } from "../../tests/support/sandbox.js";

const sandbox = new Sandbox();
afterAll(() => sandbox.remove());

/** Runs a host that imports `service` into a graph after the guard is up, and then exits with 42. */
async function run(service: string): Promise<{ code: number | null; output: string }> {
  sandbox.write("service.ts", service);
  const host = sandbox.write(
    "host.ts",
    `import { refuseProcessExit } from ${JSON.stringify(join(import.meta.dir, "process-guard.ts"))};
     refuseProcessExit();
     refuseProcessExit();
     const graph = new Bun.ModuleGraph({ onError: (error) => console.log("late: " + error.message) });
     await graph.import(${JSON.stringify(join(sandbox.root, "service.ts"))}).catch((error) => console.log("import: " + error.message));
     await Bun.sleep(20);
     console.log("host goes on");
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
  expect(output).toContain("host goes on");
  expect(code).toBe(42);
});
