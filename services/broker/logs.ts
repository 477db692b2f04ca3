import type { LogEntry, LogSink } from "../../src/broker/index.js";

/** One line of a plugin's log. */
export interface PluginLogLine {
  time: string;
  service: string;
  stream: LogEntry["stream"];
  line: string;
}

const KEPT = 500;

/** Plugins of which lines are kept. Those that have been silent for longest lose theirs when there are more. */
const KEPT_PLUGINS = 1000;

/** The latest lines of each plugin. */
export class PluginLogs implements LogSink {
  /** Who wrote last is last. */
  readonly #lines = new Map<string, PluginLogLine[]>();

  /** `onNote` hears of what the broker itself has to say about a plugin. */
  constructor(
    private readonly onNote: (pluginId: string, line: string) => void,
    private readonly keptPlugins = KEPT_PLUGINS,
  ) {}

  write({ pluginId, service, stream, line }: LogEntry): void {
    const lines = this.#lines.get(pluginId) ?? [];
    this.#lines.delete(pluginId);
    this.#lines.set(pluginId, lines);
    lines.push({ time: new Date().toISOString(), service, stream, line });
    if (lines.length > KEPT) lines.shift();
    const [silent = pluginId] = this.#lines.keys();
    if (this.#lines.size > this.keptPlugins) this.#lines.delete(silent);
    if (stream === "broker") this.onNote(pluginId, line);
  }

  /** Also of plugins that are gone; undefined when there is no line. */
  of(pluginId: string): readonly PluginLogLine[] | undefined {
    return this.#lines.get(pluginId);
  }
}
