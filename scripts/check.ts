/** The project's whole check: lint, types, tests. The last line counts what passed and failed. */
import { join } from "node:path";

const root = join(import.meta.dir, "..");
const bin = (name: string) => join(root, "node_modules", ".bin", name);

/** Runs a program with its output shown; resolves with its exit code and what it wrote to stderr. */
async function run(command: string[]): Promise<{ code: number; output: string }> {
  const child = Bun.spawn(command, { cwd: root, stdin: "ignore", stdout: "inherit", stderr: "pipe" });
  const decoder = new TextDecoder();
  let output = "";
  for await (const chunk of child.stderr) {
    process.stderr.write(chunk);
    output += decoder.decode(chunk, { stream: true });
  }
  return { code: await child.exited, output };
}

/** The files named on the command line, else all. Links are left out: the examples are linked into services/. */
function testFiles(): string[] {
  const named = process.argv.slice(2);
  if (named.length > 0) return named;
  const folders = ["src", "services", "examples", "tests", "scripts", "bench"];
  const found = folders.flatMap((folder) => [
    ...new Bun.Glob(`${folder}/**/*.test.ts`).scanSync({ cwd: root }),
  ]);
  return found.sort().map((file) => `./${file}`);
}

let passed = 0;
let failed = 0;
let skipped = 0;

for (const [name, command] of [
  ["lint", [bin("biome"), "check", "--error-on-warnings", "."]],
  ["types", [bin("tsc"), "--noEmit"]],
] as const) {
  const { code } = await run([...command]);
  console.log(`${name}: ${code === 0 ? "ok" : "failed"}`);
  if (code === 0) passed++;
  else failed++;
}

// Not with --isolate: it remembers sources by their path, and tests of reloading would see the first version for ever.
const { code, output } = await run([process.execPath, "test", "--timeout", "20000", ...testFiles()]);
const count = (word: string) => Number(new RegExp(`^\\s*(\\d+) ${word}\\b`, "m").exec(output)?.[1] ?? 0);
passed += count("pass");
failed += count("fail");
skipped = count("skip");

if (code !== 0 && count("fail") === 0) {
  console.log(`tests: ended with exit code ${code} without naming a failure`);
  failed++;
}
if (count("pass") === 0) {
  console.log("tests: none was run");
  failed++;
}
if (process.env.CI === "true" && skipped > 0) {
  console.log(`tests: ${skipped} skipped, which counts as failed here`);
  failed += skipped;
}
console.log(`${passed} passed, ${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
