import { describe, expect, test } from "bun:test";
import type { ModuleFacts } from "../checker.js";
import { Dispatcher } from "../dispatch.js";
import { LoadFailure } from "../load-failure.js";
import { LogBook } from "../log.js";
import { ServiceTable } from "../registry/table.js";
import type { Version } from "../version.js";
import { Batch, type Trial } from "./trial-batch.js";

const log = new LogBook(() => undefined).logger("reef");
const health = () => new Response();

/** What runs: folders and what their services need, by name. */
function running(needs: Record<string, string[]>): ServiceTable {
  const table = new ServiceTable(new Dispatcher({ authenticate: () => true, maxBodyBytes: 1, health, log }));
  for (const [dirName, dependencies] of Object.entries(needs)) {
    const module = { name: `the ${dirName}`, dependencies };
    table.add({ module, generation: { scope: {} }, serving: {} } as unknown as Version, dirName);
  }
  return table;
}

const NEVER = new Promise<ModuleFacts>(() => undefined);

interface Setting {
  /** Those that cannot be imported, and those that cannot be started. */
  unreadable?: string[];
  broken?: string[];
  table?: ServiceTable;
}

/** Tries folders that need others, by name; `null` hangs at import. */
function tryAll(
  needs: Record<string, string[] | null>,
  { unreadable = [], broken = [], table = running({}) }: Setting = {},
) {
  const started: string[][] = [];
  const folders = Object.keys(needs).map((dirName) => ({ dirName, digest: `${dirName}!` }));
  const { trials } = new Batch(folders, table, {
    importing: async (dirName) => {
      if (unreadable.includes(dirName)) throw new LoadFailure("IMPORT_FAILED", "import", "unreadable");
      const dependencies = needs[dirName];
      return dependencies ? { name: `the ${dirName}`, dependencies, hasInit: true } : NEVER;
    },
    starting: async (dirNames) => {
      started.push(dirNames);
      if (broken.includes(dirNames.at(-1) ?? "")) throw new LoadFailure("INIT_FAILED", "init", "broken");
    },
  });
  return { started, trial: (dirName: string) => trials.get(dirName) as Promise<Trial> };
}

test("what is needed is started first, once it is known under its name", async () => {
  const { started, trial } = tryAll({ a: ["the b", "the c"], b: ["the c"], c: [] });
  expect(await trial("a")).toMatchObject({ digest: "a!", started: true });
  expect(started).toEqual([["c"], ["c", "b"], ["c", "b", "a"]]);
});

test("nobody waits for one that hangs and is not needed", async () => {
  const { started, trial } = tryAll({ a: ["the b"], b: [], hangs: null });
  expect(await trial("a")).toMatchObject({ started: true });
  expect(started).toEqual([["b"], ["b", "a"]]);
});

test("what needs a missing, a failing or a circling one is left to the change itself", async () => {
  const needs = { lacks: ["ghost"], needs: ["the bad"], bad: [], x: ["the y"], y: ["the x"], z: ["the x"] };
  const { started, trial } = tryAll(needs, { broken: ["bad"] });
  expect(await trial("bad")).toMatchObject({ started: false, failure: { code: "INIT_FAILED" } });
  for (const dirName of ["lacks", "needs", "x", "y", "z"]) {
    const { started: tried, failure, facts } = await trial(dirName);
    expect({ dirName, tried, failure, name: facts?.name }).toEqual({
      dirName,
      tried: false,
      failure: undefined,
      name: `the ${dirName}`,
    });
  }
  expect(started).toEqual([["bad"]]);
});

describe("what is needed and runs", () => {
  test("is started with all it needs now, dependencies first", async () => {
    const table = running({ c: [], b: ["the c"] });
    const { started, trial } = tryAll({ a: ["the b", "the c"] }, { table });
    expect(await trial("a")).toMatchObject({ started: true });
    expect(started).toEqual([["c", "b", "a"]]);
  });

  test("is left to the change itself when it needs what is tried", async () => {
    const { started, trial } = tryAll({ a: ["the b"] }, { table: running({ a: [], b: ["the a"] }) });
    const { started: tried, failure } = await trial("a");
    expect([tried, failure, started]).toEqual([false, undefined, []]);
  });

  test("and is tried as well counts with what it needs from now on", async () => {
    const table = running({ a: [], b: ["the a"] });
    const { started, trial } = tryAll({ a: ["the b"], b: [] }, { table });
    expect(await trial("a")).toMatchObject({ started: true });
    expect(started).toEqual([["b"], ["b", "a"]]);
  });

  test("and is tried as well, in a circle, is left to the change itself", async () => {
    const table = running({ a: [], b: [], between: ["the b"] });
    const { started, trial } = tryAll({ a: ["the between"], b: ["the a"] }, { table });
    for (const dirName of ["a", "b"]) {
      const { started: tried, failure } = await trial(dirName);
      expect([tried, failure]).toEqual([false, undefined]);
    }
    expect(started).toEqual([]);
  });

  test("and fails when it is tried is not waited for any longer, whatever else hangs", async () => {
    const table = running({ a: [], b: [] });
    const { trial } = tryAll({ a: ["the b"], b: [], hangs: null }, { table, unreadable: ["b"] });
    const { started, failure } = await trial("a");
    expect([started, failure]).toEqual([false, undefined]);
    expect(await trial("b")).toMatchObject({ failure: { code: "IMPORT_FAILED" } });
  });
});
