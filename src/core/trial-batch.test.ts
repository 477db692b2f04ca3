import { expect, test } from "bun:test";
import type { ModuleFacts } from "./checker.js";
import { Dispatcher } from "./dispatch.js";
import { LoadFailure } from "./load-failure.js";
import { LogBook } from "./log.js";
import { ServiceTable } from "./table.js";
import { Batch, type Trial } from "./trial-batch.js";

const log = new LogBook(() => undefined).logger("reef");
const health = () => new Response();
const empty = () =>
  new ServiceTable(new Dispatcher({ authenticate: () => true, maxBodyBytes: 1, health, log }));

const NEVER = new Promise<ModuleFacts>(() => undefined);

/** Tries folders that need others, by name; `null` hangs at import. Those in `broken` cannot be started. */
function tryAll(needs: Record<string, string[] | null>, broken: string[] = []) {
  const started: string[][] = [];
  const folders = Object.keys(needs).map((dirName) => ({ dirName, digest: `${dirName}!` }));
  const { trials } = new Batch(folders, empty(), {
    importing: (dirName) => {
      const dependencies = needs[dirName];
      return dependencies ? Promise.resolve({ name: `the ${dirName}`, dependencies, hasInit: true }) : NEVER;
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
  const { started, trial } = tryAll(needs, ["bad"]);
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
