import { afterEach, describe, expect, spyOn, test } from "bun:test";
import {
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
import { answering, type Files, type Reef, startReef } from "../../../tests/support/sandbox.js";
import { contentDigest } from "../code/digest.js";
import { failureStatus } from "../load-failure.js";
import { CHANGE_EVENT } from "../registry-events.js";

let reef: Reef;
afterEach(() => reef.end());

const version = (label: string) => answering("a", label);
const folder = () => join(reef.sandbox.servicesDir, "a");
const digest = () => contentDigest(folder());

async function load(label: string): Promise<string> {
  reef.sandbox.services({ "a/index.ts": version(label) });
  await reef.ctx.registry.load("a");
  return digest();
}

async function started(...labels: string[]): Promise<string[]> {
  reef = await startReef({});
  const digests: string[] = [];
  for (const label of labels) digests.push(await load(label));
  return digests;
}

const back = (to?: string) => reef.ctx.registry.rollback("a", to);

describe("rollback", () => {
  test("puts the version before back into the folder and into service; again, it returns", async () => {
    const [one, two] = await started("one", "two");
    expect(await back()).toEqual({ name: "a", action: "updated", digest: one as string });
    expect([await reef.text("/a"), digest()]).toEqual(["one", one as string]);
    await back();
    expect([await reef.text("/a"), digest()]).toEqual(["two", two as string]);
    await back();
    expect(await reef.text("/a")).toBe("one");
  });

  test("to a damaged copy is refused and changes nothing; what serves later is kept anew", async () => {
    const [one = "", two = ""] = await started("one", "two");
    const kept = join(reef.sandbox.dataDir, ".reef", "snapshots", "a");
    writeFileSync(join(kept, one, "index.ts"), version("damaged"));
    const refused = back();
    await expect(refused).rejects.toMatchObject({
      code: "NO_SNAPSHOT",
      message: expect.stringContaining("is damaged"),
    });
    expect([await reef.text("/a"), digest()]).toEqual(["two", two]);
    const aside = readdirSync(kept).find((name) => name.startsWith(`${one}.corrupt`)) ?? "";
    expect(readFileSync(join(kept, aside, "index.ts"), "utf8")).toBe(version("damaged"));
    await load("one");
    await load("two");
    await back();
    expect(await reef.text("/a")).toBe("one");
  });

  test("serves no other code than what was kept, should the folder be written to meanwhile", async () => {
    const [, two = ""] = await started("one", "two");
    const { snapshots } = reef.registry;
    if (!snapshots) throw new Error("this server keeps versions");
    const restore = spyOn(snapshots, "restore").mockImplementationOnce((...args) => {
      const gaveWay = snapshots.restore(...args);
      reef.sandbox.services({ "a/index.ts": version("edited") });
      return gaveWay;
    });
    await expect(back()).rejects.toMatchObject({ code: "CHANGED" });
    restore.mockRestore();
    expect([await reef.text("/a"), digest()]).toEqual(["two", two]);
  });

  test("takes a digest or its beginning", async () => {
    const [one = ""] = await started("one", "two", "three");
    await back(one.slice(0, 8));
    expect(await reef.text("/a")).toBe("one");
  });

  test("by the folder's name is one of its service, also before the copies of the start are made", async () => {
    await started();
    reef.sandbox.services({ "a/index.ts": answering("shown", "one") });
    await reef.ctx.registry.load("a");
    reef.sandbox.services({ "a/index.ts": answering("shown", "two") });
    const { snapshots } = reef.registry;
    if (!snapshots) throw new Error("this server keeps copies");
    const keep = spyOn(snapshots, "keep").mockResolvedValueOnce(undefined);
    await reef.ctx.registry.load("a");
    const changes: unknown[] = [];
    reef.ctx.events.on(CHANGE_EVENT, (change) => void changes.push(change));
    await back();
    expect(await reef.text("/shown")).toBe("one");
    await back();
    expect(await reef.text("/shown")).toBe("two");
    expect(changes).toContainEqual({ name: "shown", action: "rolled-back" });
    keep.mockRestore();
  });

  test("refuses a beginning that fits several, and names them so that they can be told apart", async () => {
    await started("one");
    const digests = ["abcdef", "abcdef0123456", "abc"].map((start, n) => `${start}${n}`.padEnd(64, `${n}`));
    const snapshots = join(reef.sandbox.dataDir, ".reef", "snapshots", "a");
    for (const each of digests) mkdirSync(join(snapshots, each));
    const index = digests.map((each) => ({ digest: each, keptAt: "2026-01-01T00:00:00.000Z", served: true }));
    writeFileSync(join(snapshots, "index.json"), JSON.stringify(index));
    await expect(back("abcdef")).rejects.toMatchObject({
      code: "AMBIGUOUS",
      message: 'several kept versions of "a" start with abcdef; use one of abcdef000000, abcdef012345.',
    });
    await expect(back("abcd")).rejects.toMatchObject({ code: "AMBIGUOUS" });
    expect(await reef.text("/a")).toBe("one");
    expect([failureStatus({ code: "AMBIGUOUS" }), failureStatus({ code: "NO_SNAPSHOT" })]).toEqual([
      400, 409,
    ]);
  });

  test("of the oldest kept version works although the present one has to be kept as well", async () => {
    const digests = await started("1", "2", "3", "4", "5", "6");
    const kept = reef.ctx.registry.versions("a").map((entry) => entry.digest);
    expect(kept).toEqual(digests.slice(1).reverse());
    reef.sandbox.services({ "a/index.ts": version("never loaded") });
    await back(digests[1]);
    expect(await reef.text("/a")).toBe("2");
  });

  test("after a failed change returns to what still runs", async () => {
    await started("one", "two");
    reef.sandbox.services({ "a/index.ts": "{" });
    await expect(reef.ctx.registry.load("a")).rejects.toThrow();
    await back();
    expect(reef.ctx.registry.get("a")?.failure).toBeUndefined();
    expect(await reef.text("/a")).toBe("two");
    expect(digest()).toBe(reef.ctx.registry.get("a")?.digest as string);
  });

  test("brings back a service that failed at the start", async () => {
    const [one] = await started("one");
    const { sandbox } = reef;
    await reef.close(0);
    sandbox.services({ "a/index.ts": "throw new Error('not any more');", "a/added.ts": "" });
    reef = await startReef({}, { servicesDir: sandbox.servicesDir, dataDir: sandbox.dataDir });
    reef.sandbox.remove();
    Object.assign(reef, { sandbox });
    expect(reef.ctx.registry.get("a")?.state).toBe("failed");
    expect(await back()).toEqual({ name: "a", action: "added", digest: one as string });
    expect(await reef.text("/a")).toBe("one");
    expect(existsSync(join(folder(), "added.ts"))).toBe(false);
  });

  test("without an earlier version is refused", async () => {
    await started("one");
    await expect(back()).rejects.toMatchObject({ code: "NO_SNAPSHOT" });
    await expect(back("abcdef")).rejects.toMatchObject({ code: "NO_SNAPSHOT" });
    await expect(reef.ctx.registry.rollback("nobody")).rejects.toMatchObject({ code: "UNKNOWN" });
  });

  test("that cannot be loaded leaves the folder as it was", async () => {
    await started("base");
    reef.sandbox.services({ "b/index.ts": answering("b", "b") });
    await reef.ctx.registry.load("b");
    reef.sandbox.services({ "a/index.ts": answering("a", "needing", `dependencies: ["b"],`) });
    await reef.ctx.registry.load("a");
    const [, needing] = [await load("free"), reef.ctx.registry.versions("a")[1]?.digest];
    const present = digest();
    rmSync(join(reef.sandbox.servicesDir, "b"), { recursive: true });
    await reef.ctx.registry.unload("b");
    await expect(back(needing)).rejects.toMatchObject({ code: "MISSING_DEPENDENCY" });
    expect(digest()).toBe(present);
    expect(await reef.text("/a")).toBe("free");
    // It leaves no failure behind either, which the next rollback would return from.
    expect(reef.ctx.registry.get("a")?.failure).toBeUndefined();
    reef.sandbox.services({ "b/index.ts": answering("b", "b") });
    await reef.ctx.registry.load("b");
    expect((await back()).digest).toBe(needing as string);
    expect(await reef.text("/a")).toBe("needing");
  });

  test("brings back a folder that became a file, and the file that became a folder", async () => {
    reef = await startReef({});
    const says = answering("a", "text").replace('"text"', "text");
    const text = (path: string, word: string) =>
      reef.sandbox.services({ [path]: `export const text = "${word}";` });
    reef.sandbox.services({ "a/index.ts": `import { text } from "./text";\n${says}` });
    text("a/text/index.ts", "folder");
    await reef.ctx.registry.load("a");
    rmSync(join(folder(), "text"), { recursive: true });
    text("a/text", "file");
    await reef.ctx.registry.load("a");
    expect(await reef.text("/a")).toBe("file");
    await back();
    expect(await reef.text("/a")).toBe("folder");
    writeFileSync(join(folder(), "text", ".env"), "secret");
    await back();
    expect(await reef.text("/a")).toBe("file");
    expect(reef.lines.map((line) => line.text).join()).toContain(`${folder()}/.text.replaced-`);
  });

  test("changes no linked folder, but answers and runs what was kept of it", async () => {
    reef = await startReef({});
    const words = (text: string) => reef.sandbox.write("shared/words.ts", `export const text = "${text}";`);
    const says = answering("a", "text").replace('"text"', "text");
    words("one");
    reef.sandbox.services({ "a/index.ts": `import { text } from "./lib/words.js";\n${says}` });
    symlinkSync(join(reef.sandbox.root, "shared"), join(folder(), "lib"));
    await reef.ctx.registry.load("a");
    const one = digest();
    const file = words("two");
    expect((await reef.ctx.registry.sync()).results).toEqual([{ name: "a", action: "updated" }]);
    expect(await reef.text("/a")).toBe("two");
    expect(await back()).toEqual({ name: "a", action: "updated", digest: one });
    expect([await reef.text("/a"), digest()]).toEqual(["one", one]);
    expect(readFileSync(file, "utf8")).toContain("two");
  });

  describe("that fails puts back", () => {
    /** A service whose present code is followed by code that cannot be imported any more. */
    async function startFailing(kept: Files): Promise<void> {
      reef = await startReef({});
      const flag = join(reef.sandbox.root, "broken");
      const code = `import { existsSync } from "node:fs";
        if (existsSync(${JSON.stringify(flag)})) throw new Error("broken");\n${version("kept")}`;
      reef.sandbox.services({ "a/index.ts": code, ...kept });
      await reef.ctx.registry.load("a");
      writeFileSync(flag, "");
      for (const file of Object.keys(kept)) rmSync(join(reef.sandbox.servicesDir, file));
    }

    test("a folder that a file took the place of, with all that was in it", async () => {
      await startFailing({ "a/lib": "file" });
      const present = { "a/lib/x.ts": "x", "a/lib/.env": "secret", "a/lib/node_modules/p/i.js": "p" };
      reef.sandbox.services(present);
      const one = await load("present");
      await expect(back()).rejects.toMatchObject({ code: "IMPORT_FAILED" });
      expect([digest(), await reef.text("/a")]).toEqual([one, "present"]);
      for (const [file, text] of Object.entries(present))
        expect(readFileSync(join(reef.sandbox.servicesDir, file), "utf8")).toBe(text);
      expect(readdirSync(folder()).sort()).toEqual(["index.ts", "lib"]);
      expect(reef.lines.map((line) => line.text).join()).not.toContain(".replaced-");
    });

    test("a link that kept files took the place of", async () => {
      await startFailing({ "a/lib/x.ts": "one", "a/lib/data/y.ts": "y" });
      rmSync(join(folder(), "lib"), { recursive: true });
      const file = reef.sandbox.write("shared/x.ts", "two");
      symlinkSync("../../shared", join(folder(), "lib"));
      const one = await load("present");
      await expect(back()).rejects.toMatchObject({ code: "IMPORT_FAILED" });
      expect(digest()).toBe(one);
      expect(readlinkSync(join(folder(), "lib"))).toBe("../../shared");
      expect(readFileSync(file, "utf8")).toBe("two");
      expect(readdirSync(folder()).sort()).toEqual(["index.ts", "lib"]);
    });
  });

  test("leaves data, node_modules and dot-files in the folder alone", async () => {
    await started("one", "two");
    const others = ["a/data/items.json", "a/node_modules/x/index.js", "a/.env"];
    for (const file of others) reef.sandbox.services({ [file]: "kept" });
    await back();
    for (const file of others) expect(existsSync(join(reef.sandbox.servicesDir, file))).toBe(true);
  });
});
