import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

/** What a detached child says of itself after it has lowered its priority. */
async function lowered(): Promise<{ own: number; inherited: string; session: string | null }> {
  const script = `
    import { existsSync, readFileSync } from "node:fs";
    import { getPriority } from "node:os";
    import { lowerOwnPriority } from ${JSON.stringify(join(import.meta.dir, "priority.ts"))};
    lowerOwnPriority();
    const inherited = Bun.spawnSync([process.execPath, "-e", 'console.log(require("node:os").getPriority())']);
    const session = existsSync("/proc/self/autogroup") ? readFileSync("/proc/self/autogroup", "utf8") : null;
    console.log(JSON.stringify({ own: getPriority(), inherited: inherited.stdout.toString().trim(), session }));
  `;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", detached: true });
  return JSON.parse(await new Response(child.stdout).text());
}

test("a process that steps back does so for itself, for what it starts and for its session", async () => {
  const { own, inherited, session } = await lowered();
  expect([own, inherited]).toEqual([10, "10"]);
  if (existsSync("/proc/self/autogroup")) expect(session).toContain("nice 10");
});
