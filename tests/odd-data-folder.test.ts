/** What somebody, or a tool that saves data folders, has left where the server keeps its notes. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { makePipe } from "./support/pipe.js";
import { ReefProcess } from "./support/process.js";
import { eventually, Sandbox } from "./support/sandbox.js";

let sandbox: Sandbox;
let reef: ReefProcess | undefined;
beforeEach(() => {
  sandbox = new Sandbox({ "a/index.ts": 'export default { name: "a" };' });
});
afterEach(async () => {
  await reef?.stop("SIGKILL");
  reef = undefined;
  sandbox.remove();
});

const MAKE = { pipe: makePipe, folder: mkdirSync, file: (path: string) => writeFileSync(path, "") };
type Kind = keyof typeof MAKE;

function start(file: string, kind: Kind): ReefProcess {
  const path = join(sandbox.dataDir, ".reef", file);
  mkdirSync(dirname(path), { recursive: true });
  MAKE[kind](path);
  reef = new ReefProcess(sandbox);
  return reef;
}

test.each<[file: string, kind: Kind, says: string]>([
  ["sources.json", "pipe", "sources.json is unreadable; all folders are read again: "],
  ["sources.json", "folder", "sources.json is unreadable; all folders are read again: "],
  ["checked.json", "pipe", "checked.json is unreadable; all services are checked again: "],
  ["checked.json", "folder", "checked.json is unreadable; all services are checked again: "],
  ["rollbacks", "file", "rollbacks is not a readable folder"],
  ["rollbacks", "pipe", "rollbacks is not a readable folder"],
  ["rollbacks/a.json", "pipe", "a rollback of a was interrupted when the server stopped and cannot be"],
  ["rollbacks/a.json", "folder", "a rollback of a was interrupted when the server stopped and cannot be"],
  ["snapshots/a/index.json", "pipe", "could not keep a copy of a; rolling back to it is not possible: "],
])("with %s as a %s the server starts and says what that means", async (file, kind, says) => {
  const started = await start(file, kind).serving();
  await eventually(() => started.output.includes(says), says);
  const { skipped } = (await (await started.call("/health")).json()) as { skipped: unknown[] };
  expect(skipped).toEqual([]);
  expect(await started.stop()).toBe(0);
});

test.each<Kind>(["pipe", "folder"])(
  "a list of what is switched off that is a %s keeps it from starting",
  async (kind) => {
    const ended = start("disabled.json", kind);
    expect(await ended.child.exited).toBe(1);
    await eventually(() => ended.output.includes("Move it away to start without it"), "the reason");
    expect(ended.output).toContain(
      "disabled.json cannot be read (is not a regular file); it lists the disabled services. Move it away to start without it.",
    );
  },
);
