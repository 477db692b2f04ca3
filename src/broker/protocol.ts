/** The protocol between the broker and its workers. */
import type { BrokerErrorCode, BrokerErrorDetails } from "./errors.js";
import type { JsonSchema } from "./schema.js";

/** The operation codes: the first element of each message. */
export const OP = {
  /** host → worker: `[init, WorkerSetup]` */
  init: 0,
  /** host → worker: `[call, id, method, input, remaining ms, caller, whether the input is to be checked]` */
  call: 1,
  /** both: `[cancel, id]`: cancels a call */
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
  /** host → worker: `[checks, source]`: the validation code */
  checks: 11,
} as const;

/** The descriptor of a worker's channel. */
export const CHANNEL_DESCRIPTOR = 3;

/** The schemas of a method, for values that its worker validates. */
export interface MethodSchemas {
  input: JsonSchema;
  output: JsonSchema;
  /** Whether all results must be validated in the worker, and not only large ones. */
  checksOutput: boolean;
}

/** The first message to a worker. */
export interface WorkerSetup {
  pluginId: string;
  service: string;
  main: string;
  methods: string[];
  /** The schemas that the worker may need; the validation code follows separately. Null when there are none. */
  schemas: Record<string, MethodSchemas> | null;
  destroyTimeout: number;
  maxMessage: number;
}

/** An error in a message; `code` is set for errors of the broker. */
export interface WireError {
  name: string;
  message: string;
  code?: BrokerErrorCode;
  /** Set when the worker's validation of the input or result failed, as opposed to an error of the method. */
  failedCheck?: "invalid_input" | "invalid_output";
  details?: BrokerErrorDetails;
  /** For system errors: the code and the path. */
  errno?: string;
  path?: string;
}

/** A request of a worker to the broker. */
export type WireRequest =
  | { kind: "call"; target: [string, string, string]; input?: unknown; args?: unknown[]; timeout?: number }
  | { kind: "storage"; action: "get" | "set" | "delete" | "keys"; key?: string; value?: unknown }
  | { kind: "event"; name: string; data?: unknown }
  | { kind: "shell"; command: string; args: string[]; timeout?: number };
