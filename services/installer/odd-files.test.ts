import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, lstatSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { makePipe } from "../../tests/support/pipe.js";
import { changedFiles } from "./place.js";
import { writeFiles } from "./testing/git-host.js";
import { type Instance, startInstance } from "./testing/instance.js";
import { sampleFiles } from "./testing/samples.js";

const source = mkdtempSync(join(tmpdir(), "reef-odd-"));
const sockets: Bun.UnixSocketListener<undefined>[] = [];
let reef: Instance;

beforeAll(async () => {
  reef = await startInstance();
});
afterAll(async () => {
  for (const socket of sockets) socket.stop();
  await reef.close();
  rmSync(source, { recursive: true, force: true });
});

const here = (path: string) => join(reef.servicesDir, "greeter", path);

/** What somebody may make below a folder that the installer put there, and that no read of it comes back from. */
const odd: Array<[kind: string, make: (path: string) => unknown]> = [
  ["pipe", makePipe],
  ["socket", (unix) => sockets.push(Bun.listen({ unix, socket: { data: () => undefined } }))],
];

test.each(odd)(
  "a %s in an installed folder counts as changed, is never opened, and is kept",
  async (kind, make) => {
    writeFiles(source, sampleFiles("greeter", "1"));
    expect((await reef.install({ source, link: false, dirName: "greeter" })).status).toBe(201);
    make(here("lib/odd"));
    const refused = await reef.post("/installer/update", { name: "greeter" });
    expect([kind, refused.status, refused.data.changed]).toEqual([kind, 409, ["lib/odd"]]);
    for (const version of ["2", "3"]) {
      writeFiles(source, sampleFiles("greeter", version));
      expect((await reef.post("/installer/update", { name: "greeter", force: true })).status).toBe(200);
    }
    make(here("lib/odd"));
    const { status, data } = await reef.post("/installer/remove", { name: "greeter" });
    expect([status, data.kept.length]).toEqual([200, 1]);
    expect(lstatSync(data.kept[0]).isFile()).toBe(false);
    expect(existsSync(here(""))).toBe(false);
  },
);

test("looking for changed files ends with the job", async () => {
  writeFiles(source, sampleFiles("greeter", "1"));
  await expect(
    changedFiles(source, { "index.ts": "" }, AbortSignal.abort(new Error("out of time"))),
  ).rejects.toThrow("out of time");
});
