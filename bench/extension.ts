/**
 * What the extension file costs: to build for 20 services, in size, and in an agent's start on Node and on Bun.
 * The yardstick of the start is the same agent without any extension.
 */
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { buildTried } from "../src/agent/builder.js";
import { buildFromFolder } from "../src/agent/from-folder.js";
import { type BundleSource, buildExtension } from "../src/agent/index.js";
import { type Case, compare, finish, report, roundsOr } from "./lib.js";

const rounds = roundsOr(7);
const root = resolve(import.meta.dir, "..");
const scratch = mkdtempSync(join(tmpdir(), "reef-bench-"));
const session = join(root, "tests", "agent", "session.mjs");

/** Copies of the fullest example, each under a name of its own. */
async function twentyServices(): Promise<BundleSource[]> {
  const sources: BundleSource[] = [];
  for (let index = 0; index < 20; index++) {
    const name = `board${index}`;
    const dir = join(scratch, "services", name);
    cpSync(join(root, "examples", "services", "board"), dir, { recursive: true });
    for (const file of ["index.ts", "tools.ts"]) {
      const text = await Bun.file(join(dir, file)).text();
      await Bun.write(
        join(dir, file),
        text.replaceAll('"board"', `"${name}"`).replaceAll("board_", `${name}_`),
      );
    }
    sources.push({ name, dir });
  }
  return sources;
}

async function timed(work: () => Promise<unknown>): Promise<{ perSecond: number }> {
  const started = performance.now();
  await work();
  return { perSecond: 1000 / (performance.now() - started) };
}

interface Start {
  ms: number;
  loadMs: number;
}

/** An agent's whole life without a prompt's work; `tmp` decides whether what pi transpiled before is found again. */
async function startAgent(runtime: string, extensions: string[], tmp: string): Promise<Start> {
  const command = runtime === "node" ? ["node"] : [process.execPath, "--no-install"];
  const home = join(scratch, "home");
  mkdirSync(home, { recursive: true });
  mkdirSync(tmp, { recursive: true });
  const started = performance.now();
  const child = Bun.spawn([...command, session, JSON.stringify({ extensions, ui: false })], {
    cwd: home,
    env: { PATH: process.env.PATH, HOME: home, TMPDIR: tmp, PI_OFFLINE: "1", PI_CODING_AGENT_DIR: home },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const output = await new Response(child.stdout).text();
  if ((await child.exited) !== 0) throw new Error(output);
  const { loadMs, loadErrors } = JSON.parse(output.trim().split("\n").at(-1) ?? "");
  if (loadErrors.length > 0) throw new Error(loadErrors.join("\n"));
  return { ms: performance.now() - started, loadMs };
}

const lines: string[] = [];
const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

try {
  const sources = await twentyServices();
  report(
    "Building the file for 20 services (per second; 1000 / x is milliseconds)",
    await compare(
      [
        { name: "bundled", round: () => timed(() => buildExtension(sources)) },
        { name: "bundled and tried in a child", round: () => timed(() => buildTried(sources)) },
      ],
      rounds,
    ),
  );

  const { code, services } = await buildFromFolder(join(root, "services"));
  const gzip = Bun.gzipSync(code).length;
  lines.push(`size for ${services.join(", ")}: ${code.length} bytes, ${gzip} gzip`);
  const extension = join(scratch, "extension.js");
  await Bun.write(extension, code);

  for (const runtime of ["node", "bun"]) {
    const loads = new Map<string, number[]>();
    const starts = new Map<string, number[]>();
    let number = 0;
    const start = (name: string, extensions: string[], warm: boolean): Case => ({
      name,
      round: async () => {
        const tmp = join(scratch, warm ? `tmp-${runtime}` : `tmp-${++number}`);
        const { ms, loadMs } = await startAgent(runtime, extensions, tmp);
        loads.set(name, [...(loads.get(name) ?? []), loadMs]);
        starts.set(name, [...(starts.get(name) ?? []), ms]);
        return { perSecond: 1000 / ms };
      },
    });
    const cases = [
      start("without", [], true),
      start("with, started before", [extension], true),
      start("with, first start", [extension], false),
    ];
    report(`An agent's start on ${runtime} (per second)`, await compare(cases, rounds));
    const base = cases[0]?.name ?? "";
    for (const { name } of cases.slice(1)) {
      const added = (of: Map<string, number[]>) =>
        (median(of.get(name) ?? []) - median(of.get(base) ?? [])).toFixed(1);
      lines.push(
        `${runtime}, ${name}: loading adds ${added(loads)} ms, the whole process takes ${added(starts)} ms longer`,
      );
    }
  }
  if (!process.argv.includes("--json")) console.log(`\n${lines.join("\n")}`);
  finish();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
