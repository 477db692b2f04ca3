/** Every way a call can fail, with the HTTP status it maps to. */
export const BROKER_ERRORS = {
  /** The input does not fit the method's input schema, or an option is out of range. */
  invalid_input: 400,
  /** A permission is missing; `details` names it, the party that lacks it and the rule. */
  permission_denied: 403,
  /** This machine cannot hold the plugin to its permissions and the operator did not waive that. */
  not_enforceable: 403,
  /** No such plugin, service or declared method. */
  not_found: 404,
  /** The queue for a worker is full, or too many calls are in flight. */
  overloaded: 429,
  /** The service crashed too often and rests until it is reloaded or released. */
  quarantined: 503,
  /** The broker or the service is going away. */
  unavailable: 503,
  /** The method threw. */
  method_failed: 502,
  /** The worker ended, was ended or broke its channel while the call was in flight. */
  worker_died: 502,
  /** The worker could not be started. */
  start_failed: 502,
  /** The method's answer does not fit its output schema or cannot be sent. */
  invalid_output: 502,
  /** A call would enter a method that is already waiting for it, or goes too deep. */
  call_cycle: 502,
  /** The caller withdrew the call. */
  cancelled: 502,
  /** The deadline passed. */
  timeout: 504,
} as const;

/** The name of a way to fail. */
export type BrokerErrorCode = keyof typeof BROKER_ERRORS;

/** One place where a value does not fit its schema. */
export interface SchemaIssue {
  /** JSON pointer to the value, `""` for the whole. */
  path: string;
  message: string;
}

/** Why a permission is not held. */
export interface Denial {
  permission: string;
  /** What was asked for: a path, a host, a command …; absent for simple permissions. */
  resource?: string;
  /** The parties of the call chain that stand in the way, each with its reason. */
  parties: { party: string; rule: string }[];
}

/** What accompanies an error; which fields are present depends on its code. */
export interface BrokerErrorDetails {
  issues?: SchemaIssue[];
  denial?: Denial;
  /** `pluginId/service/method` that failed. */
  method?: string;
  /** The chain of methods that led to a cycle. */
  chain?: string[];
  /** Seconds after which another try may succeed. */
  retryAfter?: number;
  /** The name of the error that the method threw. */
  thrown?: string;
}

/** A call that failed, with a stable code and the HTTP status for it. */
export class BrokerError extends Error {
  /** The HTTP status for it. */
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

/** A manifest that cannot be used: `field` is where, `problem` is what and why it matters. */
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
