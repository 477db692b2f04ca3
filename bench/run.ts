/** Runs every benchmark, one after the other: they would disturb each other side by side. */
import { join } from "node:path";

const BENCHES = ["dispatch", "reload", "feed", "broker", "extension", "dashboard"];
const wanted = process.argv.slice(2).filter((argument) => !argument.startsWith("--"));
const options = process.argv.slice(2).filter((argument) => argument.startsWith("--"));

for (const name of BENCHES) {
  const script = join(import.meta.dir, `${name}.ts`);
  if ((wanted.length > 0 && !wanted.includes(name)) || !(await Bun.file(script).exists())) continue;
  console.error(`\n${name}`);
  const child = Bun.spawn([process.execPath, script, ...options], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if ((await child.exited) !== 0) {
    console.error(`${name} failed`);
    process.exitCode = 1;
  }
}
