/** Logs per service: lines go to the terminal, and the latest ones stay in memory. */
import { messageOf } from "./errors.js";
import { truncate } from "./truncate.js";

/** The severity of a line. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** A log line. `time` is ISO 8601 UTC. */
export interface LogLine {
  time: string;
  level: LogLevel;
  service: string;
  text: string;
}

/** Writes lines under one service's name. Arguments are formatted as by `console.log`. */
export interface Logger {
  debug(...args: unknown[]): void;
  info(...args: unknown[]): void;
  warn(...args: unknown[]): void;
  error(...args: unknown[]): void;
}

const KEPT_LINES = 500;
const MAX_LINE = 8192;

/** The number of services whose lines are kept; beyond it, those silent for longest are dropped. */
const KEPT_NAMES = 10_000;

/**
 * Collects the lines of all services.
 *
 * @example
 * const logs = new LogBook();
 * logs.logger("board").info("loaded", 3, "tasks");
 * logs.lines("board").at(-1)?.text; // "loaded 3 tasks"
 */
export class LogBook {
  /** In the order of the latest line. */
  readonly #lines = new Map<string, LogLine[]>();
  readonly #sink: (line: LogLine) => void;
  readonly #keptNames: number;

  /** @param sink Receives each line. The default prints it, warnings and errors to stderr. */
  constructor(sink: (line: LogLine) => void = printLine, keptNames = KEPT_NAMES) {
    this.#sink = sink;
    this.#keptNames = keptNames;
  }

  /** The latest lines of a service, at most 500, oldest first. */
  lines(service: string): LogLine[] {
    return [...(this.#lines.get(service) ?? [])];
  }

  /** Writes one line, truncated to 8192 characters. */
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

/** Formats arguments as `console.log` does. Never throws, although custom inspectors and getters may. */
export function formatted(args: unknown[]): string {
  try {
    // Loaded with the first line, to keep it out of the start.
    return process.getBuiltinModule("node:util").format(...args);
  } catch (error) {
    return `${args.map(messageOf).join(" ")} (cannot be shown in full: ${messageOf(error)})`;
  }
}

function printLine(line: LogLine): void {
  const text = `${line.time} ${line.level.padEnd(5)} ${line.service}: ${line.text}\n`;
  const stream = line.level === "error" || line.level === "warn" ? process.stderr : process.stdout;
  // The reader of a pipe may go first; without a listener, the error would be attributed to the service that
  // logs.
  if (stream.listenerCount("error") === 0) stream.on("error", () => undefined);
  stream.write(text);
}
