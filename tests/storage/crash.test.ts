import { expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { StorageReport } from "../../src/storage/index.js";
import { openStore, type Pattern, patterns } from "./stores.js";

const ROUNDS = 20;
const writer = join(import.meta.dir, "crash-writer.ts");

/** Kills a writer after it has acknowledged at least `atLeast` items; returns all that it acknowledged. */
async function killedWriter(
  pattern: Pattern,
  folder: string,
  prefix: string,
  atLeast: number,
): Promise<string[]> {
  const child = Bun.spawn([process.execPath, writer, pattern, folder, prefix], { stderr: "inherit" });
  const decoder = new TextDecoder();
  let output = "";
  let killed = false;
  for await (const chunk of child.stdout) {
    output += decoder.decode(chunk, { stream: true });
    if (killed || output.split("\n").length <= atLeast) continue;
    child.kill("SIGKILL");
    killed = true;
  }
  await child.exited;
  expect(child.signalCode).toBe("SIGKILL");
  return output.split("\n").slice(0, -1);
}

test.each([...patterns])(
  `%s: nothing acknowledged is lost in ${ROUNDS} rounds of kill -9`,
  async (pattern) => {
    const folder = mkdtempSync(join(tmpdir(), "reef-crash-"));
    const reports: StorageReport[] = [];
    const acknowledged: string[] = [];
    try {
      for (let round = 0; round < ROUNDS; round++) {
        acknowledged.push(...(await killedWriter(pattern, folder, `r${round}`, 1 + round * 3)));
        const store = openStore(pattern, folder, (report) => reports.push(report));
        const found = await store.ids();
        await store.add(`after-${round}`);
        acknowledged.push(`after-${round}`);
        store.close();
        const lost = acknowledged.filter((id) => !found.includes(id) && id !== `after-${round}`);
        expect({ round, lost }).toEqual({ round, lost: [] });
        expect(new Set(found).size).toBe(found.length);
      }
      expect(reports.filter((report) => report.kind !== "torn-line")).toEqual([]);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  },
  60_000,
);
