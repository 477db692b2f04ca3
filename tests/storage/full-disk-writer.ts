// Run as a child on a small file system: fills it through a store,
// makes room again, goes on, opens the store anew and prints what it saw.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type StorageError, writeFileAtomic } from "../../src/storage/index.js";
import { openStore, type Pattern } from "./stores.js";

const [pattern, folder] = process.argv.slice(2) as [Pattern, string];
const filler = join(folder, "filler");
writeFileAtomic(filler, new Uint8Array(6_000_000));

const reports: string[] = [];
const onReport = (report: { message: string }) => void reports.push(report.message);
const store = openStore(pattern, folder, onReport);
const acknowledged: string[] = [];
const refusals = new Set<string>();

async function addBatch(batch: number): Promise<boolean> {
  const ids = Array.from({ length: 4 }, (_, n) => `b${batch}-${n}`);
  const results = await Promise.allSettled(ids.map((id) => store.add(id, "x".repeat(30_000))));
  for (const [index, result] of results.entries()) {
    if (result.status === "fulfilled") acknowledged.push(ids[index] as string);
    else refusals.add((result.reason as StorageError).code ?? String(result.reason));
  }
  return results.every((result) => result.status === "fulfilled");
}

let batch = 0;
while (batch < 10_000 && (await addBatch(batch))) batch++;
await addBatch(++batch);
const whileFull = await store.ids();
const acknowledgedWhileFull = acknowledged.length;

rmSync(filler);
await store.add("after", "room again");
store.close();

const reopened = openStore(pattern, folder, onReport);
const afterwards = await reopened.ids();
await reopened.add("anew");
reopened.close();

const outcome = {
  acknowledged,
  acknowledgedWhileFull,
  refusals: [...refusals],
  whileFull,
  afterwards,
  reports,
};
writeFileSync(1, JSON.stringify(outcome));
