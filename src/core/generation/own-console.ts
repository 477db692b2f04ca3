/** The `console` of a service, which writes to the service's log. */
import { formatted, type LogBook, type LogLevel } from "../log.js";

const LEVELS: Record<string, LogLevel> = {
  log: "info",
  info: "info",
  debug: "debug",
  dir: "info",
  warn: "warn",
  error: "error",
};

/** Methods that keep state or format layouts. */
const ELABORATE = ["table", "time", "timeEnd", "timeLog", "count", "countReset", "dirxml"] as const;

const INDENT = "  ";

/** Writes log lines; `indent` is the current indentation of groups. */
interface Writer {
  indent: string;
  write(level: LogLevel, args: unknown[]): void;
}

/** Creates the `console` of a service. */
export function ownConsole(label: string, logs: LogBook): Console {
  const own = Object.create(RARE) as Record<PropertyKey, unknown>;
  const writer: Writer = {
    indent: "",
    write: (level, args) =>
      logs.write(label, level, writer.indent === "" ? args : [formatted(args).replace(/^/gm, writer.indent)]),
  };
  own[WRITER] = writer;
  for (const [method, level] of Object.entries(LEVELS)) {
    own[method] = (...args: unknown[]) => writer.write(level, method === "dir" ? args.slice(0, 1) : args);
  }
  own.assert = (condition: unknown, ...args: unknown[]) => {
    if (!condition) writer.write("error", [`Assertion failed: ${formatted(args)}`]);
  };
  return own as unknown as Console;
}

const WRITER = Symbol("writer");

/** Rarely used methods, created on first use, since each start creates a console for every service. */
const RARE = Object.create(console) as object;
for (const method of ["trace", "group", "groupCollapsed", "groupEnd", ...ELABORATE]) {
  Object.defineProperty(RARE, method, {
    get(this: Record<PropertyKey, unknown>) {
      Object.assign(this, rareMethods(this[WRITER] as Writer));
      return this[method];
    },
    set(this: object, value: unknown) {
      Object.defineProperty(this, method, { value, writable: true, configurable: true, enumerable: true });
    },
  });
}

function rareMethods(writer: Writer): Record<string, unknown> {
  const group = (...args: unknown[]) => {
    if (args.length > 0) writer.write("info", args);
    writer.indent += INDENT;
  };
  const elaborate = elaborateConsole((text) => writer.write("info", [text]));
  return {
    ...Object.fromEntries(ELABORATE.map((method) => [method, elaborate[method]])),
    group,
    groupCollapsed: group,
    groupEnd: () => {
      writer.indent = writer.indent.slice(INDENT.length);
    },
    trace: (...args: unknown[]) => {
      const { stack = "" } = new Error();
      const said = ["Trace:", formatted(args)].join(" ").trim();
      // Skips the error's own line and this function's.
      writer.write("debug", [[said, ...stack.split("\n").slice(2)].join("\n")]);
    },
  };
}

/** A real console that writes to `say`. Creating it takes half a millisecond. */
function elaborateConsole(say: (text: string) => void): Pick<Console, (typeof ELABORATE)[number]> {
  const { Writable } = process.getBuiltinModule("node:stream");
  const { Console } = process.getBuiltinModule("node:console");
  const stream = new Writable({
    decodeStrings: false,
    write(chunk: string, _encoding, done) {
      say(chunk.replace(/\n$/, ""));
      done();
    },
  });
  return new Console(stream);
}
