/** Per-service logs: one line to the terminal, and the latest lines in memory for those who look later. */
import { messageOf } from "./errors.js";
import { truncate } from "./truncate.js";

export type LogLevel = "debug" | "info" | "warn" | "error";

/** One logged line. `time` is ISO 8601 UTC. */
export interface LogLine {
  time: string;
  level: LogLevel;
  service: string;
  text: string;
}

/** Writes lines under one service's name. Arguments are formatted like `console.log`'s. */
export interface Logger {
  debug(...args: unknown[]): void;
  info(...args: unknown[]): void;
  warn(...args: unknown[]): void;
  error(...args: unknown[]): void;
}

const KEPT_LINES = 500;
const MAX_LINE = 8192;

/** Names of which lines are kept. Those that have been silent for longest lose theirs when there are more. */
const KEPT_NAMES = 10_000;

/** Collects the lines of all services. */
export class LogBook {
  /** Who wrote last is last. */
  readonly #lines = new Map<string, LogLine[]>();
  readonly #sink: (line: LogLine) => void;
  readonly #keptNames: number;

  /** `sink` receives each line; the default prints it, errors and warnings to stderr. */
  constructor(sink: (line: LogLine) => void = printLine, keptNames = KEPT_NAMES) {
    this.#sink = sink;
    this.#keptNames = keptNames;
  }

  /** The latest lines of one service, oldest first; at most 500 are kept. */
  lines(service: string): LogLine[] {
    return [...(this.#lines.get(service) ?? [])];
  }

  write(service: string, level: LogLevel, args: unknown[]): void {
    const text = truncate(formatted(args), MAX_LINE);
    const line: LogLine = { time: new Date().toISOString(), level, service, text };
    this.#keep(line);
    this.#sink(line);
  }

  #keep(line: LogLine): void {
    const { service } = line;
    const kept = this.#lines.get(service) ?? [];
    this.#lines.delete(service);
    this.#lines.set(service, kept);
    kept.push(line);
    if (kept.length > KEPT_LINES) kept.shift();
    if (this.#lines.size <= this.#keptNames) return;
    const [silent = service] = this.#lines.keys();
    this.#lines.delete(silent);
  }

  /** The logger of one service. */
  logger(service: string): Logger {
    return {
      debug: (...args) => this.write(service, "debug", args),
      info: (...args) => this.write(service, "info", args),
      warn: (...args) => this.write(service, "warn", args),
      error: (...args) => this.write(service, "error", args),
    };
  }
}

/** Values can have inspectors and getters of their own, and those can throw. */
export function formatted(args: unknown[]): string {
  try {
    // Loaded with the first line: it would be a part of every start.
    return process.getBuiltinModule("node:util").format(...args);
  } catch (error) {
    return `${args.map(messageOf).join(" ")} (cannot be shown in full: ${messageOf(error)})`;
  }
}

function printLine(line: LogLine): void {
  const text = `${line.time} ${line.level.padEnd(5)} ${line.service}: ${line.text}\n`;
  const stream = line.level === "error" || line.level === "warn" ? process.stderr : process.stdout;
  // Who reads them may go before the server does. Without a listener it would be the fault of the service that logs.
  if (stream.listenerCount("error") === 0) stream.on("error", () => undefined);
  stream.write(text);
}
