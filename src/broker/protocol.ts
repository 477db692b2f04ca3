import type { BrokerErrorCode, BrokerErrorDetails } from "./errors.js";
import type { JsonSchema } from "./schema.js";

/** The first element of each message between host and worker. */
export const OP = {
  /** host → worker: `[init, WorkerSetup]` */
  init: 0,
  /** host → worker: `[call, id, method, input, remaining ms, caller, whether the input is to be checked]` */
  call: 1,
  /** both: `[cancel, id]`: a call that is no longer waited for */
  cancel: 2,
  /** both: `[result, id, value]` */
  result: 3,
  /** both: `[error, id, WireError]` */
  error: 4,
  /** host → worker: `[ping]`; worker → host: `[pong]` */
  ping: 5,
  pong: 6,
  /** host → worker: `[destroy]` */
  destroy: 7,
  /** worker → host: `[ready]` or `[fatal, WireError]` */
  ready: 8,
  fatal: 9,
  /** worker → host: `[nested, id, parent id or 0, WireRequest]` */
  nested: 10,
  /** host → worker: `[checks, source]`: the code with which it checks values */
  checks: 11,
} as const;

/** The descriptor under which a worker finds its channel. */
export const CHANNEL_DESCRIPTOR = 3;

/** The schemas of one method, which its worker checks where that can take long. */
export interface MethodSchemas {
  input: JsonSchema;
  output: JsonSchema;
  /** Whether every answer is to be checked, and not only large ones. */
  checksOutput: boolean;
}

/** What a worker is told before anything else. */
export interface WorkerSetup {
  pluginId: string;
  service: string;
  main: string;
  methods: string[];
  /** What it may have to check of its methods, with code that follows; null when that is nothing. */
  schemas: Record<string, MethodSchemas> | null;
  destroyTimeout: number;
  maxMessage: number;
}

/** An error on the wire; `code` only when it is one of the broker's. */
export interface WireError {
  name: string;
  message: string;
  code?: BrokerErrorCode;
  /** The worker has found this when it checked the input or the answer; no method has thrown it. */
  failedCheck?: "invalid_input" | "invalid_output";
  details?: BrokerErrorDetails;
  /** Of a system error: its code and the path it was about. */
  errno?: string;
  path?: string;
}

/** What a worker asks the broker for. */
export type WireRequest =
  | { kind: "call"; target: [string, string, string]; input?: unknown; args?: unknown[]; timeout?: number }
  | { kind: "storage"; action: "get" | "set" | "delete" | "keys"; key?: string; value?: unknown }
  | { kind: "event"; name: string; data?: unknown }
  | { kind: "shell"; command: string; args: string[]; timeout?: number };
