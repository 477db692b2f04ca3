/** The `console` of a service: what it says goes to the service's log. */
import { formatted, type LogBook, type LogLevel } from "./log.js";

const LEVELS: Record<string, LogLevel> = {
  log: "info",
  info: "info",
  debug: "debug",
  dir: "info",
  warn: "warn",
  error: "error",
};

/** Methods that keep something between calls, or lay out what they are given. Few services use them. */
const ELABORATE = ["table", "time", "timeEnd", "timeLog", "count", "countReset", "dirxml"] as const;

const INDENT = "  ";

export function ownConsole(label: string, logs: LogBook): Console {
  const own = Object.create(console) as Record<string, unknown>;
  let indent = "";
  const write = (level: LogLevel, args: unknown[]) =>
    logs.write(label, level, indent === "" ? args : [formatted(args).replace(/^/gm, indent)]);
  for (const [method, level] of Object.entries(LEVELS)) {
    own[method] = (...args: unknown[]) => write(level, method === "dir" ? args.slice(0, 1) : args);
  }
  own.assert = (condition: unknown, ...args: unknown[]) => {
    if (!condition) write("error", [`Assertion failed: ${formatted(args)}`]);
  };
  own.trace = (...args: unknown[]) => {
    const { stack = "" } = new Error();
    // Without the error's own line and this function's.
    const said = ["Trace:", formatted(args)].join(" ").trim();
    write("debug", [[said, ...stack.split("\n").slice(2)].join("\n")]);
  };
  own.group = own.groupCollapsed = (...args: unknown[]) => {
    if (args.length > 0) write("info", args);
    indent += INDENT;
  };
  own.groupEnd = () => {
    indent = indent.slice(INDENT.length);
  };
  let elaborate: ReturnType<typeof elaborateConsole> | undefined;
  for (const method of ELABORATE) {
    own[method] = (...args: unknown[]) => {
      elaborate ??= elaborateConsole((text) => write("info", [text]));
      (elaborate[method] as (...args: unknown[]) => void)(...args);
    };
  }
  return own as unknown as Console;
}

/** It takes half a millisecond to make. */
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
