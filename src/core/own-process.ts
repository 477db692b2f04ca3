/** A `process` for one service: its own `env`, no way to end the server, and listeners that can be taken back. */
import { lazyMembers } from "./lazy-members.js";

type Listener = (...args: unknown[]) => void | Promise<void>;

interface Registration {
  event: string | symbol;
  listener: Listener;
  /** What the real process calls. */
  registered: (...args: unknown[]) => void;
}

/** Calls a listener in the service's context and keeps what it throws. */
export type Invoke = (event: string, listener: () => void | Promise<void>) => void;

/** Makes the `process` that the code of service `label` sees; its `REEF_DATA_DIR` is `dataDir`. */
export class OwnProcess {
  readonly process: NodeJS.Process;
  /** Called with the number of listeners whenever it changes. */
  onChange: ((count: number) => void) | undefined;
  readonly label: string;
  readonly #dataDir: string;
  readonly #present = environment();
  readonly #invoke: Invoke;
  #registrations: Set<Registration> | undefined;

  constructor(label: string, dataDir: string, invoke: Invoke) {
    this.label = label;
    this.#dataDir = dataDir;
    this.#invoke = invoke;
    this.process = make(this) as NodeJS.Process;
  }

  get env(): NodeJS.ProcessEnv {
    return { ...this.#present, REEF_DATA_DIR: this.#dataDir };
  }

  add(method: "on" | "prependListener", event: string | symbol, listener: Listener, once = false): void {
    const registration: Registration = {
      event,
      listener,
      registered: (...args) => {
        if (once) this.#forget(registration);
        this.#invoke(String(event), () => Reflect.apply(listener, this.process, args));
      },
    };
    this.#registrations ??= new Set();
    this.#registrations.add(registration);
    process[method](event, registration.registered);
    this.onChange?.(this.#registrations.size);
  }

  /** Takes the latest registration of this listener back. */
  remove(event: string | symbol, listener: Listener): void {
    const all = [...(this.#registrations ?? [])];
    const found = all.findLast((one) => one.event === event && one.listener === listener);
    if (found) this.#forget(found);
  }

  /** Takes all listeners back, or those of one event. */
  release(event?: string | symbol): void {
    for (const registration of [...(this.#registrations ?? [])]) {
      if (event === undefined || registration.event === event) this.#forget(registration);
    }
  }

  #forget(registration: Registration): void {
    if (!this.#registrations?.delete(registration)) return;
    process.off(registration.event, registration.registered);
    this.onChange?.(this.#registrations.size);
  }
}

type Make = (own: OwnProcess) => unknown;

const refuse =
  (what: string): Make =>
  ({ label }) =>
  () => {
    throw new Error(
      `process.${what}() is not available to service "${label}": it would end or move the whole server`,
    );
  };

const adding =
  (method: "on" | "prependListener", once = false): Make =>
  (own) =>
  (event: string | symbol, listener: Listener) => {
    own.add(method, event, listener, once);
    return own.process;
  };

const removing: Make = (own) => (event: string | symbol, listener: Listener) => {
  own.remove(event, listener);
  return own.process;
};

const make = lazyMembers<OwnProcess>(process, {
  env: (own) => own.env,
  exit: refuse("exit"),
  reallyExit: refuse("reallyExit"),
  abort: refuse("abort"),
  chdir: refuse("chdir"),
  // The channel to whoever started the process is the server's.
  send: () => undefined,
  disconnect: () => undefined,
  channel: () => undefined,
  connected: () => false,
  on: adding("on"),
  addListener: adding("on"),
  once: adding("on", true),
  prependListener: adding("prependListener"),
  prependOnceListener: adding("prependListener", true),
  off: removing,
  removeListener: removing,
  removeAllListeners: (own) => (event?: string | symbol) => {
    own.release(event);
    return own.process;
  },
});

let taken: NodeJS.ProcessEnv | undefined;

/** The server's environment as it is now; copied once for all services that are loaded in one go. */
function environment(): NodeJS.ProcessEnv {
  if (!taken) {
    taken = { ...process.env };
    queueMicrotask(() => {
      taken = undefined;
    });
  }
  return taken;
}
