import type { Subprocess } from "bun";

/** One measurement of one case in one round. */
export interface Sample {
  /** What the case achieved: operations (requests, deliveries, rows …) per second of wall time. */
  perSecond: number;
  /** CPU time the measured process spent per operation, in microseconds. */
  cpuMicros?: number;
}

/** One contender of a comparison. `round` does a fixed amount of work and reports it. */
export interface Case {
  name: string;
  round(): Promise<Sample>;
}

/** A contender's figures over all rounds; ratios are relative to the first case. */
export interface Result {
  name: string;
  rounds: number;
  medianPerSecond: number;
  bestPerSecond: number;
  /** Lowest CPU time per operation of any round, in microseconds. */
  bestCpuMicros?: number;
  /** Median over the rounds of (this case / first case) in the same round. */
  ratio: number;
  /** Best round of this case / best round of the first case. */
  bestRatio: number;
  /**
   * Median over the rounds of CPU per operation of the first case / of this case in the same round: above 1 means
   * cheaper than the first.
   */
  cpuRatio?: number;
  /** Lowest CPU per operation of the first case / of this case. */
  bestCpuRatio?: number;
}

/** How many rounds are asked for: `--rounds=3` or `ROUNDS=3`. */
export function roundsOr(usual: number): number {
  const given = process.argv.find((argument) => argument.startsWith("--rounds="))?.split("=")[1];
  const rounds = Number(given ?? process.env.ROUNDS ?? usual);
  if (Number.isInteger(rounds) && rounds > 0) return rounds;
  throw new Error("--rounds and ROUNDS take a whole number from 1");
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length === 0) return Number.NaN;
  return sorted.length % 2 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

/** One sample for several turns with the same number of operations each. */
function merge(turns: readonly Sample[]): Sample {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const cpu = turns.flatMap(({ cpuMicros }) => cpuMicros ?? []);
  return {
    perSecond: 1 / mean(turns.map(({ perSecond }) => 1 / perSecond)),
    ...(cpu.length > 0 && { cpuMicros: mean(cpu) }),
  };
}

/**
 * Runs the cases alternately, after one uncounted warm-up round, so that a slow spell of the machine hits all of
 * them. Each turn begins with the next case: in reverse order every second time, two of them would run twice in a
 * row, which favours a process by 3 %. Each case has `turns` turns in a round, which count as one sample:
 * the shorter a turn, the more alike is what the cases that are compared have met. The first case is the yardstick.
 */
export async function compare(cases: readonly Case[], rounds = 7, turns = 1): Promise<Result[]> {
  const samples = cases.map((): Sample[] => []);
  for (let round = -1; round < rounds; round++) {
    const taken = cases.map((): Sample[] => []);
    for (let turn = 0; turn < turns; turn++) {
      const first = (round + 1) * turns + turn;
      const order = cases.map((_, index) => (first + index) % cases.length);
      for (const index of order) {
        const sample = await cases[index]?.round();
        if (sample) taken[index]?.push(sample);
      }
    }
    if (round < 0) continue;
    for (const [index, list] of samples.entries()) list.push(merge(taken[index] ?? []));
  }
  const base = samples[0] ?? [];
  return cases.map(({ name }, index) => {
    const own = samples[index] ?? [];
    const best = (list: readonly Sample[]) => Math.max(...list.map((sample) => sample.perSecond));
    const cpu = (list: readonly Sample[]) => Math.min(...list.map((sample) => sample.cpuMicros ?? Infinity));
    const measured = Number.isFinite(cpu(own)) && Number.isFinite(cpu(base));
    const cpuRatios = own.map((sample, i) => (base[i]?.cpuMicros ?? NaN) / (sample.cpuMicros ?? NaN));
    return {
      name,
      rounds: own.length,
      medianPerSecond: median(own.map((sample) => sample.perSecond)),
      bestPerSecond: best(own),
      bestCpuMicros: Number.isFinite(cpu(own)) ? cpu(own) : undefined,
      ratio: median(own.map((sample, i) => sample.perSecond / (base[i]?.perSecond ?? Number.NaN))),
      bestRatio: best(own) / best(base),
      cpuRatio: measured ? median(cpuRatios) : undefined,
      bestCpuRatio: measured ? cpu(base) / cpu(own) : undefined,
    };
  });
}

const collected: Record<string, Result[]> = {};
const asJson = process.argv.includes("--json");

/** Prints one comparison as a table at once, or keeps it for {@link finish} when `--json` was given. */
export function report(title: string, results: Result[]): void {
  collected[title] = results;
  if (asJson) return;
  const number = (value: number | undefined, digits: number) =>
    value === undefined ? "–" : value.toLocaleString("en", { maximumFractionDigits: digits });
  const rows = [
    ["", "median/s", "best/s", "CPU µs", "ratio", "best ratio", "CPU ratio", "best CPU ratio"],
    ...results.map((result) => [
      result.name,
      number(result.medianPerSecond, 0),
      number(result.bestPerSecond, 0),
      number(result.bestCpuMicros, 2),
      number(result.ratio, 2),
      number(result.bestRatio, 2),
      number(result.cpuRatio, 2),
      number(result.bestCpuRatio, 2),
    ]),
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  console.log(`\n${title}`);
  for (const row of rows) {
    const cells = row.map((cell, i) => (i ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)));
    console.log(`  ${cells.join("  ")}`);
  }
}

/** Prints everything reported so far as JSON when `--json` was given. */
export function finish(): void {
  if (asJson) console.log(JSON.stringify({ bun: Bun.version, comparisons: collected }, null, 2));
}

/** A server in a process of its own; see {@link spawnServer}. */
export interface BenchServer {
  /** `http://127.0.0.1:<port>` */
  url: string;
  port: number;
  /** CPU time (user and system) the process has used so far, in microseconds. */
  cpuMicros(): Promise<number>;
  /** Resident memory in bytes. */
  rss(): Promise<number>;
  /** Sends a command that the child handles with {@link serveBench}'s `onCommand`; resolves to its result. */
  command<T>(name: string, argument?: unknown): Promise<T>;
  stop(): Promise<void>;
}

interface Reply {
  id: number;
  value?: unknown;
  error?: string;
}

/** How long a child may take to end by itself, in milliseconds. */
const STOP_LIMIT_MS = 5000;

const SERVE = new URL("../scripts/serve.sh", import.meta.url).pathname;

/**
 * Starts `script` as a child process that calls {@link serveBench}, and waits for its port: with this Bun, or where it
 * `isReef` as `npm start` does.
 */
export async function spawnServer(script: string, args: string[] = [], isReef = false): Promise<BenchServer> {
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const started = Promise.withResolvers<number>();
  let lastId = 0;
  const child: Subprocess = Bun.spawn([...(isReef ? ["sh", SERVE] : [process.execPath]), script, ...args], {
    stdio: ["ignore", "inherit", "inherit"],
    ipc(message: { port: number } | Reply) {
      if ("port" in message) return started.resolve(message.port);
      const call = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error === undefined) call?.resolve(message.value);
      else call?.reject(new Error(message.error));
    },
    onExit(_child, code) {
      const error = new Error(`${script} ended with status ${code}`);
      started.reject(error);
      for (const call of waiting.values()) call.reject(error);
    },
  });
  const command = <T>(name: string, argument?: unknown): Promise<T> => {
    const call = Promise.withResolvers<unknown>();
    waiting.set(++lastId, call);
    child.send({ id: lastId, name, argument });
    return call.promise as Promise<T>;
  };
  const port = await started.promise;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    command,
    cpuMicros: () => command<number>("cpu"),
    rss: () => command<number>("rss"),
    async stop() {
      // Its end by itself removes what it has written.
      child.disconnect();
      await Promise.race([child.exited, Bun.sleep(STOP_LIMIT_MS)]);
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** The child's half of {@link spawnServer}: tells the parent the port and answers its commands. */
export function serveBench(
  port: number,
  onCommand: (name: string, argument: unknown) => unknown = () => undefined,
): void {
  process.on("message", async (message: { id: number; name: string; argument: unknown }) => {
    const { id, name, argument } = message;
    try {
      let value: unknown;
      if (name === "cpu") {
        const { user, system } = process.cpuUsage();
        value = user + system;
      } else if (name === "rss") value = process.memoryUsage.rss();
      else value = await onCommand(name, argument);
      process.send?.({ id, value } satisfies Reply);
    } catch (error) {
      process.send?.({ id, error: String(error) } satisfies Reply);
    }
  });
  process.on("disconnect", () => process.exit());
  process.send?.({ port });
}

/** Measures `work` (which does `operations` operations against `server`): rate and server CPU per operation. */
export async function measure(
  server: BenchServer,
  operations: number,
  work: () => Promise<unknown>,
): Promise<Sample> {
  const cpuBefore = await server.cpuMicros();
  const before = performance.now();
  await work();
  const seconds = (performance.now() - before) / 1000;
  const cpuMicros = ((await server.cpuMicros()) - cpuBefore) / operations;
  return { perSecond: operations / seconds, cpuMicros };
}
