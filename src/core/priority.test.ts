import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";

interface Lowered {
  own: number;
  inherited: string;
  session: string | null;
  /** What the kernel says of each thread's turns. */
  turns: string[];
}

/** What a detached child says of itself after it has lowered its priority. */
async function lowered(): Promise<Lowered> {
  const script = `
    import { existsSync, readdirSync, readFileSync } from "node:fs";
    import { getPriority } from "node:os";
    import { lowerOwnPriority } from ${JSON.stringify(join(import.meta.dir, "priority.ts"))};
    lowerOwnPriority();
    const inherited = Bun.spawnSync([process.execPath, "-e", 'console.log(require("node:os").getPriority())']);
    const read = () => existsSync("/proc/self/autogroup") ? readFileSync("/proc/self/autogroup", "utf8") : null;
    // Who is not root may have to try again.
    for (let turn = 0; turn < 100 && read()?.includes("nice 0"); turn++) await Bun.sleep(10);
    const session = read();
    const scheduler = (thread) => {
      const path = "/proc/self/task/" + thread + "/sched";
      return existsSync(path) ? readFileSync(path, "utf8").match(/^se\\.slice.*$/m)?.[0] ?? "" : "";
    };
    const turns = readdirSync("/proc/self/task").map(scheduler);
    console.log(JSON.stringify({ own: getPriority(), inherited: inherited.stdout.toString().trim(), session, turns }));
  `;
  const child = Bun.spawn([process.execPath, "-e", script], { stdout: "pipe", detached: true });
  return JSON.parse(await new Response(child.stdout).text());
}

const [major = 0, minor = 0] = release().split(".").map(Number);
const hasTurns = process.platform === "linux" && (major > 6 || (major === 6 && minor >= 12));

test("a process that steps back does so for itself, for what it starts and for its session", async () => {
  const { own, inherited, session } = await lowered();
  expect([own, inherited]).toEqual([10, "10"]);
  if (existsSync("/proc/self/autogroup")) expect(session).toContain("nice 10");
});

test("whoever wakes up need not wait for the end of its turn, where the system can do that", async () => {
  const [first = ""] = (await lowered()).turns;
  if (hasTurns && first !== "") expect(Number(first.split(":")[1])).toBe(100_000_000);
});
