import { afterAll, beforeAll, expect, spyOn, test } from "bun:test";
import fs, { utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type TestBroker, testBroker, writePlugin } from "../../src/broker/testing/fixtures.js";
import { fingerprint } from "../../src/core/code/digest.js";
import { eventually } from "../../tests/support/sandbox.js";
import { PluginFolders } from "./folders.js";

let own: TestBroker;
let folders: PluginFolders;
let dir: string;

beforeAll(async () => {
  own = testBroker();
  folders = new PluginFolders(own.broker, own.folder);
  dir = writePlugin(own.folder, {
    id: "large",
    methods: { go: {} },
    code: "export default {}",
    files: { big: "1" },
  });
  await folders.sync();
});
afterAll(() => own.close());

/** Goes through the folders, and says which files of the plugin's code were read for that. */
async function syncReading() {
  const read: string[] = [];
  const reading = spyOn(fs, "readFileSync").mockImplementation(((...args: Parameters<typeof original>) => {
    if (String(args[0]).startsWith(dir)) read.push(String(args[0]).slice(dir.length + 1));
    return original(...args);
  }) as typeof original);
  try {
    return { ...(await folders.sync()), read };
  } finally {
    reading.mockRestore();
  }
}
const original = fs.readFileSync;

/** Until another change of the folder would show in what `stat` says. */
const settled = () => eventually(() => !fingerprint(dir).fresh, "the end of the clock's tick");

test("a plugin that did not change is not read again", async () => {
  await settled();
  // The first look was within the tick in which the folder was written.
  await folders.sync();
  expect(await syncReading()).toEqual({ results: [], errors: [], read: [] });
});

test("one that was written anew without a difference is read once more", async () => {
  utimesSync(join(dir, "big"), 1, 1);
  await settled();
  const first = await syncReading();
  expect([first.results, first.read.includes("big")]).toEqual([[], true]);
  expect(await syncReading()).toEqual({ results: [], errors: [], read: [] });
});

test("one that was written within the clock's present tick is read until that is over", async () => {
  utimesSync(join(dir, "big"), 1, 1);
  const clock = spyOn(Date, "now").mockReturnValue(fs.statSync(join(dir, "big")).ctimeMs + 1);
  try {
    for (let n = 0; n < 3; n++) expect((await syncReading()).read).toContain("big");
  } finally {
    clock.mockRestore();
  }
});

test("one that changed is taken up", async () => {
  writeFileSync(join(dir, "big"), "2");
  expect((await folders.sync()).results).toEqual([{ name: "large", action: "updated" }]);
});
