/** The limits of the broker. */

/** The limits of a broker. Times are in milliseconds and sizes in bytes, unless stated otherwise. */
export interface BrokerLimits {
  /** The timeout of calls that do not set one. */
  defaultTimeout: number;
  /** The maximum timeout. */
  maxTimeout: number;
  /** The maximum depth of a call chain. */
  maxDepth: number;
  /** The maximum number of workers over all services. */
  maxWorkers: number;
  /** The maximum number of concurrent calls per worker. */
  maxInFlight: number;
  /** The maximum number of calls that wait for a worker. */
  maxQueue: number;
  /** Idle workers are ended after this time. */
  idleTimeout: number;
  /** The time for loading the code and `onInit`. */
  startTimeout: number;
  /** The time for `onDestroy`, enforced by the worker itself. */
  destroyTimeout: number;
  /** The time after which a worker that should end is killed. */
  terminateTimeout: number;
  /** After a missed deadline, a worker that does not answer a ping within this time is killed. */
  pingTimeout: number;
  /** The number of crashes within `crashWindow` after which a service is quarantined. */
  crashLimit: number;
  crashWindow: number;
  /** The delay before a crashed service is restarted; doubled with each crash. */
  restartDelay: number;
  maxRestartDelay: number;
  /** The memory limit of one worker, and of its commands together. */
  maxMemory: number;
  /** The thread limit of one worker, and of its commands together. */
  maxThreads: number;
  /** The interval at which memory and threads are checked. */
  memoryInterval: number;
  /** The maximum size of a message in either direction, in UTF-16 units of JSON. */
  maxMessage: number;
  /**
   * The maximum number of bytes queued for a worker. Calls wait for space; results for which there is none are
   * refused.
   */
  maxBacklog: number;
  /** The maximum number of requests that a worker may have open. */
  maxNestedCalls: number;
  /** The maximum output of stdout and stderr, in bytes per second; reading pauses above it. */
  maxLogRate: number;
  /** The maximum number of individual files that a permission may expand to. */
  maxFileRules: number;
}

/** The default limits. */
export const DEFAULT_LIMITS: BrokerLimits = {
  defaultTimeout: 30_000,
  maxTimeout: 600_000,
  maxDepth: 16,
  maxWorkers: 32,
  maxInFlight: 64,
  maxQueue: 256,
  idleTimeout: 60_000,
  startTimeout: 10_000,
  destroyTimeout: 5_000,
  terminateTimeout: 6_000,
  pingTimeout: 1_000,
  crashLimit: 3,
  crashWindow: 300_000,
  restartDelay: 100,
  maxRestartDelay: 10_000,
  maxMemory: 256 * 1024 * 1024,
  maxThreads: 512,
  memoryInterval: 100,
  maxMessage: 4 * 1024 * 1024,
  maxBacklog: 64 * 1024 * 1024,
  maxNestedCalls: 256,
  maxLogRate: 256 * 1024,
  maxFileRules: 20_000,
};
