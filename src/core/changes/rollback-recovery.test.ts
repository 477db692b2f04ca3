import { afterEach, beforeEach, describe, expect, spyOn, test } from "bun:test";
import fs, {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { answering, type Reef, Sandbox, startReef } from "../../../tests/support/sandbox.js";
import { contentDigest } from "../code/digest.js";
import { RollbackJournal } from "./rollback-journal.js";

let sandbox: Sandbox;
beforeEach(() => {
  sandbox = new Sandbox();
});
afterEach(() => sandbox.remove());

const folder = () => join(sandbox.servicesDir, "a");
const journal = () => join(sandbox.dataDir, ".reef", "rollbacks", "a.json");
const digest = () => contentDigest(folder());
const write = (path: string, text: string) => sandbox.services({ [`a/${path}`]: text });

/** A server on the sandbox's folders, to be closed by whoever starts it. */
async function start(): Promise<Reef> {
  const { servicesDir, dataDir } = sandbox;
  const reef = await startReef({}, { servicesDir, dataDir });
  reef.sandbox.remove();
  return reef;
}

/** Two versions that served, the first of which cannot be imported any more where `broken` is there. */
async function twoVersions(reef: Reef): Promise<{ one: string; two: string; broken: string }> {
  const broken = join(sandbox.root, "broken");
  const check = `import { existsSync } from "node:fs";
    if (existsSync(${JSON.stringify(broken)})) throw new Error("broken");`;
  for (const [path, text] of Object.entries({
    "index.ts": `${check}\n${answering("a", "one")}`,
    "lib/x.ts": "one",
    "lib/deep/y.ts": "one",
    page: "file",
    "same.ts": "same",
    "gone.ts": "one",
  }))
    write(path, text);
  await reef.ctx.registry.load("a");
  const one = digest();
  for (const path of ["page", "lib", "gone.ts"]) rmSync(join(folder(), path), { recursive: true });
  sandbox.write("shared/x.ts", "two");
  symlinkSync("../../shared", join(folder(), "lib"));
  for (const [path, text] of Object.entries({
    "index.ts": answering("a", "two"),
    "page/index.ts": "two",
    "page/.env": "secret",
    "come.ts": "two",
    "data/items.json": "[]",
  }))
    write(path, text);
  await reef.ctx.registry.load("a");
  return { one, two: digest(), broken };
}

const CHANGES = ["renameSync", "rmSync", "unlinkSync", "symlinkSync", "chmodSync"] as const;

/** Copies what is on disk before each change of a file that `run` makes, and in the end; returns how often. */
async function diskAtEachChange(run: () => Promise<unknown>): Promise<number> {
  let images = 0;
  let copying = false;
  const image = () => {
    if (copying) return;
    copying = true;
    const to = join(sandbox.root, "images", String(images++));
    mkdirSync(to, { recursive: true });
    Bun.spawnSync(["cp", "-a", sandbox.servicesDir, join(sandbox.dataDir, ".reef"), to]);
    copying = false;
  };
  const spies = CHANGES.map((name) => {
    const change = fs[name] as (...args: unknown[]) => unknown;
    return spyOn(fs, name).mockImplementation((...args: unknown[]) => {
      image();
      return change(...args) as never;
    });
  });
  try {
    await run();
    image();
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  return images;
}

function putDisk(image: number): void {
  const from = join(sandbox.root, "images", String(image));
  for (const dir of [sandbox.servicesDir, sandbox.dataDir]) rmSync(dir, { recursive: true });
  mkdirSync(sandbox.dataDir);
  fs.renameSync(join(from, "services"), sandbox.servicesDir);
  fs.renameSync(join(from, ".reef"), join(sandbox.dataDir, ".reef"));
}

const names = () => readdirSync(folder()).sort();

test.each([
  ["that succeeds", false],
  ["that fails and takes itself back", true],
])(
  "wherever a rollback %s is interrupted, the folder holds one version after the next start",
  async (_what, fails) => {
    let reef = await start();
    const { one, two, broken } = await twoVersions(reef);
    if (fails) writeFileSync(broken, "");
    const images = await diskAtEachChange(() => reef.ctx.registry.rollback("a").catch(() => undefined));
    expect([await reef.text("/a"), digest()]).toEqual(fails ? ["two", two] : ["one", one]);
    await reef.close(0);
    expect(existsSync(journal())).toBe(false);
    rmSync(broken, { force: true });
    let mended = 0;
    for (let image = 0; image < images; image++) {
      putDisk(image);
      const interrupted = existsSync(journal());
      reef = await start();
      const told = reef.lines.map(({ text }) => text).filter((text) => text.includes("interrupted"));
      expect(told.join()).toMatch(
        interrupted ? /^a rollback of a .* restored to its previous version/ : /^$/,
      );
      expect(told).toHaveLength(interrupted ? 1 : 0);
      const text = await reef.text("/a");
      expect([text, digest()]).toEqual(text === "two" ? ["two", two] : ["one", one]);
      await reef.close(0);
      expect(existsSync(journal())).toBe(false);
      expect(readFileSync(join(folder(), "data/items.json"), "utf8")).toBe("[]");
      expect(readFileSync(join(sandbox.root, "shared/x.ts"), "utf8")).toBe("two");
      if (!interrupted) continue;
      mended++;
      expect(text).toBe("two");
      expect(names()).toEqual(["come.ts", "data", "index.ts", "lib", "page", "same.ts"]);
      expect(readlinkSync(join(folder(), "lib"))).toBe("../../shared");
      expect(readFileSync(join(folder(), "page/.env"), "utf8")).toBe("secret");
    }
    expect(mended).toBeGreaterThan(10);
  },
);

describe("a rollback that was interrupted", () => {
  let one: string;
  let two: string;
  /** The folder holds of the first version what was not in the second. */
  beforeEach(async () => {
    const reef = await start();
    ({ one, two } = await twoVersions(reef));
    await reef.close(0);
    new RollbackJournal(sandbox.dataDir, "a").begin({ dir: folder(), from: two, to: one });
    write("gone.ts", "one");
    write("come.ts.tmp", "tw");
  });

  const kept = (of: string) => join(sandbox.dataDir, ".reef", "snapshots", "a", of);
  const asides = () =>
    readdirSync(join(sandbox.dataDir, ".reef", "rollbacks")).filter((name) => name.includes(".corrupt-"));
  const notes = () => JSON.parse(readFileSync(journal(), "utf8"));
  const note = (more: object) => writeFileSync(journal(), JSON.stringify({ ...notes(), ...more }));

  /** What the log of a start says of it. */
  async function started(): Promise<string> {
    const reef = await start();
    const { services } = (await (await reef.call("/health")).json()) as { services: string[] };
    await reef.close(0);
    expect(services).toEqual(existsSync(folder()) ? ["a"] : []);
    return reef.lines.flatMap(({ text }) => (text.includes("rollback of a") ? text : [])).join();
  }

  test("is taken back, and what was being written is gone", async () => {
    expect(await started()).toContain(two.slice(0, 12));
    expect([digest(), asides()]).toEqual([two, []]);
  });

  test.each<[string, string, () => void]>([
    ["are empty", "damaged", () => writeFileSync(journal(), "")],
    ["are none", "damaged", () => writeFileSync(journal(), "7")],
    ["have no digests", "damaged", () => note({ from: "../x" })],
    ["name something outside", "damaged", () => note({ gaveWay: [{ path: "/x", files: [], target: "y" }] })],
    [
      "leave the folder",
      "damaged",
      () => note({ gaveWay: [{ path: `${folder()}/../x`, files: [], target: "" }] }),
    ],
    ["are of a folder elsewhere", "no longer its folder", () => note({ dir: sandbox.root })],
    ["are of a folder that is gone", "no longer its folder", () => rmSync(folder(), { recursive: true })],
    ["need a copy that is gone", "missing or damaged", () => rmSync(kept(two), { recursive: true })],
    [
      "need a copy that is damaged",
      "missing or damaged",
      () => writeFileSync(join(kept(two), "come.ts"), "x"),
    ],
    ["are older than a file of the folder", "same.ts has changed since", () => write("same.ts", "mine")],
  ])("and whose notes %s is reported, and the folder left alone", async (_what, reason, change) => {
    change();
    const before = existsSync(folder()) && digest();
    const said = await started();
    expect(said).toContain(reason);
    expect(asides()).toHaveLength(1);
    expect(said).toContain(asides()[0] as string);
    expect(existsSync(folder()) && digest()).toBe(before);
    expect(await started()).toBe("");
  });

  test("and cannot be written back on a full disk is reported, and the start goes on", async () => {
    const rename = fs.renameSync;
    rmSync(join(folder(), "come.ts"));
    const full = spyOn(fs, "renameSync").mockImplementation((from, to) => {
      if (String(to).startsWith(folder())) throw Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
      rename(from, to);
    });
    try {
      expect(await started()).toContain("no space left");
    } finally {
      full.mockRestore();
    }
    expect(asides()).toHaveLength(1);
    expect(await started()).toBe("");
  });
});

test("a rollback that cannot be noted changes nothing", async () => {
  const reef = await start();
  const { two } = await twoVersions(reef);
  mkdirSync(journal(), { recursive: true });
  await expect(reef.ctx.registry.rollback("a")).rejects.toMatchObject({ code: "STORAGE_IO" });
  expect([digest(), await reef.text("/a")]).toEqual([two, "two"]);
  await reef.close(0);
});
