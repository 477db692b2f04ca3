import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import fs, { renameSync, rmSync, symlinkSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { eventually, Sandbox } from "../../../tests/support/sandbox.js";
import { LogBook } from "../log.js";
import { watchServices } from "./watch.js";

let sandbox: Sandbox;
let stop: () => void;
let syncs: number;
let lines: string[];
beforeEach(() => {
  sandbox = new Sandbox({ "a/index.ts": "1" });
  syncs = 0;
  lines = [];
});
afterEach(() => {
  stop();
  sandbox.remove();
});
function start(
  sync: () => Promise<Parameters<typeof Array.from>[0] | object> = async () => ({ results: [], errors: [] }),
): void {
  stop = watchServices({
    servicesDir: sandbox.servicesDir,
    sync: async () => {
      syncs++;
      return (await sync()) as Awaited<ReturnType<Parameters<typeof watchServices>[0]["sync"]>>;
    },
    log: new LogBook(({ text }) => lines.push(text)).logger("watch"),
    settleMs: 5,
  });
}

test.each<[string, () => void]>([
  ["a changed file", () => sandbox.services({ "a/index.ts": "2" })],
  ["a file in a new folder", () => sandbox.services({ "b/lib/deep/x.ts": "1" })],
  ["a removed folder", () => rmSync(join(sandbox.servicesDir, "a"), { recursive: true })],
])("%s is taken up", async (_what, change) => {
  start();
  change();
  await eventually(() => syncs > 0);
});

test("changes in a linked folder are taken up, also when the link is made later", async () => {
  const file = sandbox.write("elsewhere/index.ts", "1");
  start();
  symlinkSync(join(file, ".."), join(sandbox.servicesDir, "linked"));
  await eventually(() => syncs > 0);
  await Bun.sleep(20);
  const before = syncs;
  sandbox.write("elsewhere/index.ts", "2");
  await eventually(() => syncs > before);
});

test.each([
  ["round in a circle", "linked"],
  ["nowhere", "ghost"],
  ["to what is no folder", "a/index.ts/below"],
])(
  "a link that leads %s keeps nothing from being watched, also when it is made later",
  async (_where, target) => {
    const link = (name: string) =>
      symlinkSync(target === "linked" ? name : target, join(sandbox.servicesDir, name));
    link("linked");
    start();
    link("later");
    await eventually(() => syncs > 0);
    await Bun.sleep(20);
    const before = syncs;
    sandbox.services({ "a/index.ts": "2" });
    await eventually(() => syncs > before);
    expect(lines).toEqual([]);
  },
);

test("what cannot be watched is said, and the change is taken up all the same", async () => {
  const target = join(sandbox.write("elsewhere/index.ts", "1"), "..");
  start();
  const watching = spyOn(fs, "watch").mockImplementation(() => {
    throw new Error("no more watches");
  });
  try {
    symlinkSync(target, join(sandbox.servicesDir, "linked"));
    await eventually(() => syncs > 0);
    expect(lines).toEqual([expect.stringContaining("no more watches")]);
  } finally {
    watching.mockRestore();
  }
});

test("what failed to be watched is watched anew, and what changed meanwhile is taken up", async () => {
  const watching = spyOn(fs, "watch");
  try {
    start();
    const [watcher] = watching.mock.results.map(({ value }) => value as fs.FSWatcher);
    watcher?.emit("error", new Error("overflow"));
    expect(lines).toEqual([expect.stringContaining("overflow")]);
    await eventually(() => watching.mock.calls.length === 2 && syncs === 1);
    sandbox.services({ "a/index.ts": "2" });
    await eventually(() => syncs > 1);
  } finally {
    watching.mockRestore();
  }
});

test("a watched folder that is touched does no harm", async () => {
  const target = join(sandbox.write("elsewhere/index.ts", "1"), "..");
  symlinkSync(target, join(sandbox.servicesDir, "linked"));
  start();
  for (const folder of [target, sandbox.servicesDir]) utimesSync(folder, new Date(), new Date());
  sandbox.services({ "a/index.ts": "2" });
  await eventually(() => syncs > 0);
});

test("a folder that takes the place of a linked one is watched instead", async () => {
  const target = join(sandbox.write("elsewhere/index.ts", "1"), "..");
  sandbox.write("new/index.ts", "2");
  symlinkSync(target, join(sandbox.servicesDir, "linked"));
  start();
  renameSync(target, `${target}.old`);
  renameSync(join(sandbox.root, "new"), target);
  await eventually(() => syncs > 0);
  await Bun.sleep(20);
  const before = syncs;
  sandbox.write("elsewhere/index.ts", "3");
  await eventually(() => syncs > before);
});

test("data, packages and dot-files are not", async () => {
  const link = sandbox.write("elsewhere/data/x.json", "1");
  symlinkSync(join(link, "../.."), join(sandbox.servicesDir, "linked"));
  const others = ["a/data/x.json", "a/node_modules/p/i.js", "a/.git/HEAD", ".git/HEAD", "linked/data/x.json"];
  const write = (text: string) => sandbox.services(Object.fromEntries(others.map((file) => [file, text])));
  write("1");
  start();
  await Bun.sleep(60);
  const before = syncs;
  write("2");
  await Bun.sleep(60);
  expect(syncs).toBe(before);
});

test.each(["a/lib/data/table.ts", "a/data.ts", "data/index.ts", "linked/lib/data/table.ts"])(
  "%s is code",
  async (file) => {
    symlinkSync(join(sandbox.write("elsewhere/index.ts", "1"), ".."), join(sandbox.servicesDir, "linked"));
    sandbox.services({ [file]: "1" });
    start();
    sandbox.services({ [file]: "2" });
    await eventually(() => syncs > 0);
  },
);

test("what changed and what failed is in the log, and a failing sync does not end the watching", async () => {
  let outcome: () => object = () => ({
    results: [{ name: "a", action: "updated" }],
    errors: [{ dir: "b", error: "why" }],
  });
  start(async () => outcome());
  sandbox.services({ "a/index.ts": "2" });
  await eventually(() => lines.includes("a: updated") && lines.includes("b: not loaded: why"));
  outcome = () => {
    throw new Error("sync broke");
  };
  sandbox.services({ "a/index.ts": "3" });
  await eventually(() => lines.includes("watching: sync broke"));
  const before = syncs;
  sandbox.services({ "a/index.ts": "4" });
  await eventually(() => syncs > before);
});
