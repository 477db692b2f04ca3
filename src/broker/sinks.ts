/** The interfaces to which a broker reports, and in which it stores. */
import type { BrokerErrorCode } from "./errors.js";

/** Receives plugins' output and the broker's notes about them. */
export interface LogSink {
  write(entry: LogEntry): void;
}

/** One line about a service of a plugin. */
export interface LogEntry {
  pluginId: string;
  service: string;
  /** `stdout` and `stderr` come from the plugin; `broker` is about it. */
  stream: "stdout" | "stderr" | "broker";
  line: string;
}

/** Receives the broker's events. */
export interface EventSink {
  emit(event: BrokerEvent): void;
}

/**
 * An event of the broker. `time` is ISO 8601; `method` is `pluginId/service/method`; `code` is one of
 * `BROKER_ERRORS`.
 */
export type BrokerEvent =
  | { type: "broker.loaded" | "broker.unloaded"; pluginId: string; time: string }
  | {
      type: "broker.call_failed";
      method: string;
      caller: string;
      code: BrokerErrorCode;
      message: string;
      time: string;
    }
  | { type: "broker.worker_crashed"; pluginId: string; service: string; reason: string; time: string }
  | { type: "broker.quarantined"; pluginId: string; service: string; reason: string; time: string }
  | { type: "broker.plugin_event"; pluginId: string; name: string; data: unknown; time: string };

/** Stores plugins' values, which are JSON. */
export interface PluginStorage {
  get(pluginId: string, key: string): Promise<unknown>;
  set(pluginId: string, key: string, value: unknown): Promise<void>;
  delete(pluginId: string, key: string): Promise<void>;
  keys(pluginId: string): Promise<string[]>;
}
