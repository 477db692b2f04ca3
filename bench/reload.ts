/**
 * What changes cost while a server runs: reloads, a look at many unchanged services, deploys beside traffic, and
 * the start. Each beside the bare platform, or beside the same server at rest.
 */
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  type BenchServer,
  type Case,
  compare,
  finish,
  median,
  report,
  roundsOr,
  spawnServer,
} from "./lib.js";
import { writeService } from "./services.js";

const rounds = roundsOr(7);
const scratch = mkdtempSync(join(tmpdir(), "reef-bench-"));
const script = (name: string) => new URL(`servers/${name}.ts`, import.meta.url).pathname;
const headers = { authorization: "Bearer bench-token" };

const percentile = (values: number[], p: number) => {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN;
};
const ms = (value: number) => `${value.toFixed(2)} ms`;
const line = (name: string, times: number[]) =>
  console.log(
    `  ${name.padEnd(58)} p50 ${ms(median(times))}, p95 ${ms(percentile(times, 0.95))}, n ${times.length}`,
  );

async function call(server: BenchServer, method: string, path: string, body?: unknown): Promise<number> {
  const before = performance.now();
  const init = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
  const response = await fetch(server.url + path, init);
  const text = await response.text();
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
  return performance.now() - before;
}

/** One reload after another, in turn with importing five files of the same content in a fresh place, bare. */
async function reloads(server: BenchServer, servicesDir: string): Promise<void> {
  const changed: number[] = [];
  const known: number[] = [];
  const bare: number[] = [];
  for (let n = 1; n <= 40 * rounds; n++) {
    writeService(servicesDir, "five", n, 5);
    changed.push(await call(server, "POST", n === 1 ? "/services/reload" : "/services/reload/five"));
    known.push(await call(server, "POST", "/services/reload/five"));
    const place = join(scratch, "bare");
    // In the checkout's reach, where hono can be found.
    writeService(place, `five-${n}`, n, 5);
    const before = performance.now();
    await import(join(place, `five-${n}`, "index.ts"));
    bare.push(performance.now() - before);
  }
  console.log("\nReload of a five-file service, over HTTP");
  line("changed code, tried in a child process first", changed.slice(10));
  line("code that has served before", known.slice(10));
  line("bare import() of five files at a fresh path", bare.slice(10));
}

async function unchanged(server: BenchServer, servicesDir: string): Promise<void> {
  const sync: number[] = [];
  const stats: number[] = [];
  for (let n = 0; n < 10 * rounds; n++) {
    sync.push(await call(server, "POST", "/services/reload"));
    const before = performance.now();
    for (const name of readdirSync(servicesDir)) {
      for (const file of readdirSync(join(servicesDir, name))) statSync(join(servicesDir, name, file));
    }
    stats.push(performance.now() - before);
  }
  console.log("\nPOST /services/reload with 200 services, none of them changed");
  line("Reef, over HTTP", sync);
  line("bare readdir and stat of the same folders", stats);
}

/** Latencies of paced requests to one service while `meanwhile` runs. */
async function latencies(
  server: BenchServer,
  meanwhile: (done: () => boolean) => Promise<void>,
  forMs: number,
) {
  const times: number[] = [];
  const end = performance.now() + forMs;
  const done = () => performance.now() > end;
  const client = async () => {
    while (!done()) {
      times.push(await call(server, "GET", "/svc-1"));
      await Bun.sleep(2);
    }
  };
  await Promise.all([client(), client(), client(), client(), meanwhile(done)]);
  return times;
}

async function deploys(server: BenchServer, servicesDir: string): Promise<void> {
  const file = join(servicesDir, "five", "five.test.ts");
  await Bun.write(
    file,
    `import { expect, test } from "bun:test";\nimport five from "./index.js";\ntest("name", async () => {\n  await Bun.sleep(250);\n  expect(five.name).toBe("five");\n});\n`,
  );
  const quiet: number[] = [];
  const during: number[] = [];
  const ratios: number[] = [];
  const took: number[] = [];
  let version = 10_000;
  const deploying = async (done: () => boolean) => {
    while (!done()) {
      writeService(servicesDir, "five", version++, 5);
      took.push(await call(server, "POST", "/services/deploy", { name: "five" }));
    }
  };
  // A round holds four deploys: with few rounds, one slow spell of the machine would be the median.
  for (let round = 0; round < 2 * rounds; round++) {
    const calm = await latencies(server, async () => undefined, 1500);
    const busy = await latencies(server, deploying, 1500);
    quiet.push(...calm);
    during.push(...busy);
    ratios.push(percentile(busy, 0.99) / percentile(calm, 0.99));
  }
  console.log(
    "\nRequests to another service, at rest and during one deploy after the other (tests of 250 ms)",
  );
  for (const [name, times] of [
    ["at rest", quiet],
    ["during deploys", during],
  ] as const) {
    const [p50, p99] = [median(times), percentile(times, 0.99)];
    console.log(`  ${name.padEnd(58)} p50 ${ms(p50)}, p99 ${ms(p99)}, n ${times.length}`);
  }
  console.log(
    `  p99 during / at rest: of all ${(percentile(during, 0.99) / percentile(quiet, 0.99)).toFixed(2)}, median of rounds ${median(ratios).toFixed(2)}`,
  );
  line("one deploy, with its tests in a child process", took);
}

/** From starting a process to 200 services serving. */
async function starts(folder: string): Promise<void> {
  const started = (name: string, file: string, args: () => string[]): Case => ({
    name,
    round: async () => {
      const given = args();
      const before = performance.now();
      const server = await spawnServer(script(file), given, file === "managed");
      const seconds = (performance.now() - before) / 1000;
      // What it remembers for the next start is on disk then.
      if (file === "managed") await server.command("close");
      await server.stop();
      return { perSecond: 1 / seconds };
    },
  });
  const forget = () => rmSync(join(folder, "data"), { recursive: true, force: true });
  const results = await compare(
    [
      started("bare imports, one after another", "bare-imports", () => [folder]),
      started("Reef, all code known", "managed", () => [folder, "0", "60000"]),
      started("Reef, no code known: each tried in a child first", "managed", () => {
        forget();
        return [folder, "0", "60000"];
      }),
      // The case before leaves what this one needs: the next round starts with everything known again.
    ],
    rounds,
  );
  report("Starts per second with 200 four-file services, from nothing to all serving", results);
}

try {
  const folder = join(scratch, "many");
  mkdirSync(folder);
  // The bare cases import hono from below the checkout.
  const modules = resolve(import.meta.dir, "..", "node_modules");
  symlinkSync(modules, join(scratch, "node_modules"));
  const server = await spawnServer(script("managed"), [folder, "200", "60000"], true);
  const servicesDir = join(folder, "services");
  try {
    await unchanged(server, servicesDir);
    await reloads(server, servicesDir);
    await deploys(server, servicesDir);
  } finally {
    await server.command("close");
    await server.stop();
  }
  rmSync(join(servicesDir, "five"), { recursive: true });
  await starts(folder);
  finish();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
