/**
 * Runs every benchmark, one after the other: they would disturb each other side by side.
 *   bun bench/run.ts [dispatch …] [--rounds=1] [--json]
 */
import { join } from "node:path";

const BENCHES = ["dispatch", "reload", "feed", "broker", "extension", "dashboard"];
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const options = process.argv.slice(2).filter((argument) => argument.startsWith("--"));

const unknown = wanted.filter((name) => !BENCHES.includes(name));
if (unknown.length > 0) {
  console.error(`There is no benchmark called ${unknown.join(", ")}; there are ${BENCHES.join(", ")}.`);
  process.exit(1);
}
for (const name of wanted.length > 0 ? wanted : BENCHES) {
  const script = join(import.meta.dir, `${name}.ts`);
  console.error(`\n${name}`);
  const child = Bun.spawn([process.execPath, script, ...options], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if ((await child.exited) !== 0) {
    console.error(`${name} failed`);
    process.exitCode = 1;
  }
}
