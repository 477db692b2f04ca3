/** Where a plugin's output and the broker's notes about it go. */
export interface LogSink {
  write(entry: LogEntry): void;
}

/** One line about a service of a plugin. */
export interface LogEntry {
  pluginId: string;
  service: string;
  /** `stdout` and `stderr` are the plugin's own; `broker` is about it. */
  stream: "stdout" | "stderr" | "broker";
  line: string;
}

/** Where things worth knowing are reported. */
export interface EventSink {
  emit(event: BrokerEvent): void;
}

/**
 * What a broker reports. `time` is ISO 8601; `method` is `pluginId/service/method`, `code`
 * one of `BROKER_ERRORS`.
 */
export type BrokerEvent =
  | { type: "broker.loaded" | "broker.unloaded"; pluginId: string; time: string }
  | {
      type: "broker.call_failed";
      method: string;
      caller: string;
      code: string;
      message: string;
      time: string;
    }
  | { type: "broker.worker_crashed"; pluginId: string; service: string; reason: string; time: string }
  | { type: "broker.quarantined"; pluginId: string; service: string; reason: string; time: string }
  | { type: "broker.plugin_event"; pluginId: string; name: string; data: unknown; time: string };

/** Keeps the values that plugins store. Values are JSON. */
export interface PluginStorage {
  get(pluginId: string, key: string): Promise<unknown>;
  set(pluginId: string, key: string, value: unknown): Promise<void>;
  delete(pluginId: string, key: string): Promise<void>;
  keys(pluginId: string): Promise<string[]>;
}
