/** The bounds the broker keeps. Times are milliseconds, sizes bytes where nothing else is said. */
export interface BrokerLimits {
  /** Time for a call that asks for none. */
  defaultTimeout: number;
  /** The most a call may ask for. */
  maxTimeout: number;
  /** Methods that may be waiting for each other in one chain. */
  maxDepth: number;
  /** Workers alive at once, over all services. */
  maxWorkers: number;
  /** Calls in flight in one worker. */
  maxInFlight: number;
  /** Calls that may wait for a worker to start or to have room. */
  maxQueue: number;
  /** A worker without a call for this long is ended. */
  idleTimeout: number;
  /** Time to load the code and run `onInit`. */
  startTimeout: number;
  /** Time `onDestroy` has, kept by the worker itself. */
  destroyTimeout: number;
  /** Time until a worker that should end is killed. */
  terminateTimeout: number;
  /** After a missed deadline, a worker that does not answer a ping for this long is killed. */
  pingTimeout: number;
  /** Crashes within `crashWindow` after which a service rests. */
  crashLimit: number;
  crashWindow: number;
  /** The first wait before a crashed service starts again; doubles with each crash. */
  restartDelay: number;
  maxRestartDelay: number;
  /** The memory that one worker holds, and that its commands hold together. */
  maxMemory: number;
  /** The threads of one worker, and of its commands together. */
  maxThreads: number;
  /** How often that is looked at. */
  memoryInterval: number;
  /** One message on the channel, either way, in UTF-16 units: characters of JSON, of which most take a byte. */
  maxMessage: number;
  /** Bytes waiting to be read by a worker. Calls wait for room; answers for which there is none are refused. */
  maxBacklog: number;
  /** Calls that a worker may have open towards others. */
  maxNestedCalls: number;
  /** Bytes of stdout and stderr kept per second; more is dropped with a notice. */
  maxLogRate: number;
  /** Single files that a permission may have to be spelled out as. */
  maxFileRules: number;
}

/** What holds unless a broker is told otherwise. */
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
