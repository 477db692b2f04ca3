import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../../tests/support/sandbox.js";
import { processTree } from "../core/process-tree.js";
import { detectEnforcement } from "./sandbox/level.js";
import { failure, temporaryFolder, testBroker } from "./testing/fixtures.js";

const confined = (await detectEnforcement()).level !== "none";
const links = temporaryFolder();
symlinkSync(Bun.which("sh") as string, join(links.path, "called"));
const environment = { PATH: `${process.env.PATH}:${links.path}` };
const setups = {
  confined: testBroker({}, { environment }),
  unconfined: testBroker({}, { environment, enforcement: "off" }),
};

beforeAll(async () => {
  for (const { add } of Object.values(setups)) {
    await add({
      id: "commanding",
      permissions: [{ permission: "shell:execute", allow: ["sh", "bash", "called", process.execPath] }],
      methods: { run: {} },
      code: `import { shell } from "reef/broker";
        export default { services: { main: {
          async run({ script, timeout, program = "sh" }) {
            return shell.execute(program, [program.includes("bun") ? "-e" : "-c", script], { timeout });
          },
        } } };`,
    });
  }
});
afterAll(async () => {
  for (const { close } of Object.values(setups)) await close();
  links.remove();
});

/** Without a program of its own, which a confined shell may not start. */
const FOR_EVER = "while :; do :; done";

/** A process that is killed dies when it gets its turn. */
const isOver = (pid: string) =>
  eventually(async () => (await processTree(Number(pid))).length === 0, `the end of ${pid}`);

for (const [how, { broker, logs }] of Object.entries(setups)) {
  const run = (script: string, timeout?: number, program?: string) =>
    broker.call<{ code: number | null; stdout: string }>("commanding", "main", "run", {
      script,
      timeout,
      program,
    });

  describe.skipIf(how === "confined" && !confined)(`a command, ${how}`, () => {
    test("ends with what it has left running, which holds its output", async () => {
      const { code, stdout } = await run(`(${FOR_EVER}) & echo $!`);
      expect(code).toBe(0);
      await isOver(stdout.trim());
    });

    test("that takes too long is killed with what it has started", async () => {
      const { code, stdout } = await run(`(${FOR_EVER}) & echo $!; ${FOR_EVER}`, 300);
      expect(code).toBeNull();
      await isOver(stdout.trim());
    });

    test("is told the name by which it was called: one program may be several commands", async () => {
      expect((await run("echo $0", 5000, "called")).stdout).toBe("called\n");
    });

    test("has nothing to read, instead of waiting for it", async () => {
      expect((await run("read line; echo $?", 2000)).stdout).toBe("1\n");
    });

    test("may write what takes more room on its way than it has characters", async () => {
      const write =
        "for (const to of [process.stdout, process.stderr]) to.write('\\u0001'.repeat(1_000_000));";
      const { code, stdout } = await run(write, 20_000, process.execPath);
      expect([code, stdout.length > 300_000]).toEqual([0, true]);
    });

    test("is refused when it is too long, before any rule is looked at", async () => {
      const error = await failure(run(`: ${"x".repeat(140_000)}`));
      expect(error.message).toContain("131072 characters");
    });

    // Where nothing confines it, it can.
    if (how === "confined") {
      test.skipIf(!Bun.which("bash"))("cannot leave its group, where nothing would find it", async () => {
        const hidden = `set -m; (exec -c bash -c 'echo $BASHPID; ${FOR_EVER}') &`;
        const { stdout } = await run(`${hidden} while [ $SECONDS -lt 1 ]; do :; done`, 5000, "bash");
        await isOver(stdout.trim());
      });

      test("has no children but those it has started, for which it may wait", async () => {
        const script = `const { dlopen } = require("bun:ffi");
          const { symbols } = dlopen("libc.so.6", { waitpid: { args: ["i32", "ptr", "i32"], returns: "i32" } });
          console.log(symbols.waitpid(-1, null, 1));`;
        expect((await run(script, 5000, process.execPath)).stdout).toBe("-1\n");
      });

      test("cannot keep data in a file of memory, which no look at its processes would find", async () => {
        const script = `const { dlopen } = require("bun:ffi");
          const { symbols } = dlopen("libc.so.6", { memfd_create: { args: ["ptr", "u32"], returns: "i32" } });
          console.log(symbols.memfd_create(new Uint8Array([120, 0]), 0));`;
        expect((await run(script, 5000, process.execPath)).stdout).toBe("-1\n");
      });
    }

    test("that holds too much memory is ended with what it has started", async () => {
      const hold = "ulimit -v 4000000; a=xxxxxxxxxxxxxxxx; while :; do a=$a$a; done";
      const { code, stdout } = await run(`(${FOR_EVER}) & echo $!; ${hold}`, 30_000);
      expect(code).toBeNull();
      await isOver(stdout.trim());
      expect(logs).toContainEqual(
        expect.objectContaining({ stream: "broker", line: expect.stringContaining('"sh" was stopped') }),
      );
    });

    test("writes as much as it likes, of which a megabyte is kept", async () => {
      const lines = `i=0; while [ $i -lt 20000 ]; do echo '${"x".repeat(99)}'; i=$((i+1)); done`;
      const { stdout } = await run(lines);
      expect(stdout).toHaveLength(1024 * 1024);
    });
  });
}

test.skipIf(!confined)("what a command has started ends with a server that is killed", async () => {
  const script = `
    import { testBroker } from ${JSON.stringify(join(import.meta.dir, "testing/fixtures.ts"))};
    const own = testBroker({}, { environment: { PATH: process.env.PATH } });
    console.log(own.folder);
    await own.add({
      id: "p",
      permissions: [{ permission: "shell:execute", allow: ["sh"] }, { permission: "events", allow: ["*"] }],
      methods: { run: {} },
      code: 'import { shell } from "reef/broker"; export default { services: { main: { run: () => shell.execute("sh", ["-c", "(${FOR_EVER}) & wait"]) } } };',
    });
    void own.broker.call("p", "main", "run", {});
    setInterval(() => {}, 1000);`;
  const server = Bun.spawn([process.execPath, "-e", script], { stdio: ["ignore", "pipe", "inherit"] });
  const { value } = await server.stdout.getReader().read();
  try {
    let started: number[] = [];
    const isRunning = async () => {
      started = await processTree(server.pid);
      // The server, its worker, the command, what that has started, and who ends it.
      return (
        started.length >= 4 &&
        started.filter((pid) => commandLine(pid).startsWith("sh -c (while")).length >= 2
      );
    };
    await eventually(isRunning, "the command");
    const left = started.filter((pid) => commandLine(pid).startsWith("sh -c (while"));
    server.kill("SIGKILL");
    await server.exited;
    for (const pid of left) await isOver(String(pid));
  } finally {
    server.kill("SIGKILL");
    await server.exited;
    rmSync(new TextDecoder().decode(value).trim(), { recursive: true });
  }
});

/** Of a process; nothing when it has ended. */
function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ");
  } catch {
    return "";
  }
}
