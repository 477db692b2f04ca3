import type { LogEntry, LogSink } from "../../src/broker/index.js";

/** One line of a plugin's log. */
export interface PluginLogLine {
  time: string;
  service: string;
  stream: LogEntry["stream"];
  line: string;
}

const KEPT = 500;

/** The latest lines of each plugin. */
export class PluginLogs implements LogSink {
  readonly #lines = new Map<string, PluginLogLine[]>();

  /** `onNote` hears of what the broker itself has to say about a plugin. */
  constructor(private readonly onNote: (pluginId: string, line: string) => void) {}

  write({ pluginId, service, stream, line }: LogEntry): void {
    let lines = this.#lines.get(pluginId);
    if (!lines) {
      lines = [];
      this.#lines.set(pluginId, lines);
    }
    lines.push({ time: new Date().toISOString(), service, stream, line });
    if (lines.length > KEPT) lines.splice(0, lines.length - KEPT);
    if (stream === "broker") this.onNote(pluginId, line);
  }

  /** Also of plugins that are gone; undefined when there never was a line. */
  of(pluginId: string): readonly PluginLogLine[] | undefined {
    return this.#lines.get(pluginId);
  }
}
