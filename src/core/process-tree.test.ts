import { expect, spyOn, test } from "bun:test";
import fs from "node:fs";
import { lives } from "../../tests/support/process.js";
import { eventually } from "../../tests/support/sandbox.js";
import { endProcessTree } from "./process-tree.js";

/** A child that starts another one, says its id, and then does what `rest` says. */
async function family(options: { detached: boolean; rest: string; mark: string }) {
  const script = `const child = require("node:child_process").spawn("sleep", ["600"], { detached: ${options.detached}, stdio: "ignore" });
    child.unref(); console.log(child.pid); ${options.rest}`;
  const child = Bun.spawn([process.execPath, "-e", script], {
    env: { ...process.env, FAMILY: options.mark },
    stdio: ["ignore", "pipe", "ignore"],
    detached: true,
  });
  const { value } = await child.stdout.getReader().read();
  const grandchild = Number(new TextDecoder().decode(value));
  expect(lives(grandchild)).toBe(true);
  return { child, grandchild };
}

test.each([
  ["in the group", { detached: false, rest: "for (;;);" }],
  ["in a group of its own", { detached: true, rest: "for (;;);" }],
  ["in a group of its own, whose parent is gone", { detached: true, rest: "process.exit(0);" }],
])("a grandchild %s is ended with the child", async (_where, options) => {
  const mark = Bun.randomUUIDv7();
  const { child, grandchild } = await family({ ...options, mark });
  if (options.rest.includes("exit")) await child.exited;
  await endProcessTree(child.pid, `FAMILY=${mark}`);
  await child.exited;
  await eventually(() => !lives(grandchild), "the grandchild's end");
});

test("a program whose start is not complete, so that its process has no environment yet, is ended all the same", async () => {
  const mark = Bun.randomUUIDv7();
  const { child, grandchild } = await family({ detached: true, rest: "process.exit(0);", mark });
  await child.exited;
  const { readFileSync } = fs;
  let looks = 0;
  const starting = spyOn(fs, "readFileSync").mockImplementation(((path: string, encoding: "utf8") => {
    if (path === `/proc/${grandchild}/environ` && ++looks < 5) return "";
    return path === `/proc/${grandchild}/cmdline` && looks < 5 ? "" : readFileSync(path, encoding);
  }) as never);
  try {
    await endProcessTree(child.pid, `FAMILY=${mark}`);
  } finally {
    starting.mockRestore();
  }
  await eventually(() => !lives(grandchild), "the grandchild's end");
});

test("what takes its time to die, as on a busy machine, is waited for", async () => {
  const mark = Bun.randomUUIDv7();
  const { child, grandchild } = await family({ detached: true, rest: "process.exit(0);", mark });
  await child.exited;
  const { readFileSync } = fs;
  const kept = new Map<string, string>();
  let looks = 0;
  const dying = spyOn(fs, "readFileSync").mockImplementation(((path: string, encoding: "utf8") => {
    if (!path.startsWith(`/proc/${grandchild}/`)) return readFileSync(path, encoding);
    if (path.endsWith("/stat")) looks++;
    if (looks > 20) throw new Error("it is gone");
    const text = kept.get(path) ?? readFileSync(path, encoding);
    kept.set(path, text);
    return text;
  }) as never);
  try {
    await endProcessTree(child.pid, `FAMILY=${mark}`);
  } finally {
    dying.mockRestore();
  }
  expect(looks).toBeGreaterThan(20);
  await eventually(() => !lives(grandchild), "the grandchild's end");
});

test("nobody else is ended, and a tree that is gone is no error", async () => {
  const other = Bun.spawn(["sleep", "600"], { detached: true });
  await endProcessTree(2 ** 22 + 1, "FAMILY=nobody");
  expect(lives(other.pid)).toBe(true);
  await endProcessTree(other.pid);
  await other.exited;
});
