// Run as a child: adds items to a store as fast as it can, several at a time,
// and prints the id of each one that was acknowledged, until it is killed.
import { writeSync } from "node:fs";
import { openStore, type Pattern } from "./stores.js";

const [pattern, folder, prefix] = process.argv.slice(2) as [Pattern, string, string];
const store = openStore(pattern, folder);
let next = 0;

async function keepAdding(): Promise<never> {
  for (;;) {
    const id = `${prefix}-${next++}`;
    await store.add(id, "x".repeat(300));
    writeSync(1, `${id}\n`);
  }
}

await Promise.all(Array.from({ length: 4 }, keepAdding));
