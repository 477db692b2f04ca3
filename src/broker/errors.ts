/** Errors of the broker. */

/** All error codes of calls, with their HTTP status. */
export const BROKER_ERRORS = {
  /** The input does not match the input schema, or an option is out of range. */
  invalid_input: 400,
  /** A permission is missing; `details` names it, the party that lacks it and the rule. */
  permission_denied: 403,
  /** This machine cannot enforce the plugin's permissions, and the operator has not waived that. */
  not_enforceable: 403,
  /** No such plugin, service or declared method. */
  not_found: 404,
  /** The queue for a worker is full, or too many calls are in flight. */
  overloaded: 429,
  /** The service crashed too often and is quarantined until it is reloaded or released. */
  quarantined: 503,
  /** The broker or the service is shutting down. */
  unavailable: 503,
  /** The method threw. */
  method_failed: 502,
  /** The worker ended, was killed, or violated the protocol during the call. */
  worker_died: 502,
  /** The worker could not be started. */
  start_failed: 502,
  /** The result does not match the output schema, or cannot be serialised. */
  invalid_output: 502,
  /** A call would enter a method that already waits for it, or exceed the maximum depth. */
  call_cycle: 502,
  /** The caller cancelled the call. */
  cancelled: 502,
  /** The deadline passed. */
  timeout: 504,
} as const;

/** An error code. */
export type BrokerErrorCode = keyof typeof BROKER_ERRORS;

/** A mismatch between a value and its schema. */
export interface SchemaIssue {
  /** JSON pointer to the value, `""` for the whole. */
  path: string;
  message: string;
}

/** Why a permission is denied. */
export interface Denial {
  permission: string;
  /** The requested path, host, command …; absent for simple permissions. */
  resource?: string;
  /** The parties of the call chain that lack the permission, with reasons. */
  parties: { party: string; rule: string }[];
}

/** Details of an error; the fields depend on its code. */
export interface BrokerErrorDetails {
  issues?: SchemaIssue[];
  denial?: Denial;
  /** The method that failed, as `pluginId/service/method`. */
  method?: string;
  /** The chain of methods that led to a cycle. */
  chain?: string[];
  /** After how many seconds a retry may succeed. */
  retryAfter?: number;
  /** The name of the error that the method threw. */
  thrown?: string;
}

/** A failed call, with a stable code and an HTTP status. */
export class BrokerError extends Error {
  /** The HTTP status of the code. */
  readonly status: number;

  constructor(
    readonly code: BrokerErrorCode,
    message: string,
    readonly details: BrokerErrorDetails = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "BrokerError";
    this.status = BROKER_ERRORS[code];
  }
}

/** An invalid manifest. `field` is the location, `problem` the explanation. */
export class ManifestError extends Error {
  constructor(
    readonly field: string,
    readonly problem: string,
    readonly file?: string,
  ) {
    super(`${file ? `${file}: ` : ""}${field}: ${problem}`);
    this.name = "ManifestError";
  }
}
