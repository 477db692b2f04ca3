/** The `process` of a service: its own `env`, no way to end the server, and removable listeners. */

type Listener = (...args: unknown[]) => void | Promise<void>;

interface Registration {
  event: string | symbol;
  listener: Listener;
  /** The listener registered on the real process. */
  registered: (...args: unknown[]) => void;
}

/** Calls a listener in the service's context and handles its errors. */
export type Invoke = (event: string, listener: () => void | Promise<void>) => void;

/** A service's `process` and its controls. */
export interface OwnProcess {
  process: NodeJS.Process;
  /** Called with the number of listeners when it changes. */
  onChange: (count: number) => void;
  /** Removes all listeners. */
  release(): void;
}

/** The `process` of each module graph. */
export const processOfGraph = new WeakMap<object, NodeJS.Process>();

/** The methods that deal with listeners. */
export const LISTENING = [
  "on",
  "addListener",
  "once",
  "prependListener",
  "prependOnceListener",
  "off",
  "removeListener",
  "removeAllListeners",
  "emit",
] as const;

/** The real methods, before process-guard.ts redirects services' calls. */
const real = { on: process.on, prependListener: process.prependListener, off: process.off };

let taken: NodeJS.ProcessEnv | undefined;

/** A copy of the server's environment, shared by all services loaded in the same tick. */
function environment(): NodeJS.ProcessEnv {
  if (!taken) {
    taken = { ...process.env };
    queueMicrotask(() => {
      taken = undefined;
    });
  }
  return taken;
}

/** Creates the `process` of service `label`; its `REEF_DATA_DIR` is `dataDir`. */
export function ownProcess(label: string, dataDir: string, invoke: Invoke): OwnProcess {
  const registrations = new Set<Registration>();
  const forget = (registration: Registration) => {
    if (!registrations.delete(registration)) return;
    Reflect.apply(real.off, process, [registration.event, registration.registered]);
    own.onChange(registrations.size);
  };
  const forgetAll = (event?: string | symbol) => {
    for (const registration of [...registrations]) {
      if (event === undefined || registration.event === event) forget(registration);
    }
  };
  const add =
    (method: "on" | "prependListener", once = false) =>
    (event: string | symbol, listener: Listener) => {
      const registration: Registration = {
        event,
        listener,
        registered: (...args) => {
          if (once) forget(registration);
          invoke(String(event), () => Reflect.apply(listener, own.process, args));
        },
      };
      registrations.add(registration);
      Reflect.apply(real[method], process, [event, registration.registered]);
      own.onChange(registrations.size);
      return own.process;
    };
  const remove = (event: string | symbol, listener: Listener) => {
    const found = [...registrations].findLast((one) => one.event === event && one.listener === listener);
    if (found) forget(found);
    return own.process;
  };
  const refuse = (what: string) => () => {
    throw new Error(
      `process.${what}() is not available to service "${label}": it would affect the whole server`,
    );
  };
  const present = environment();
  let env: NodeJS.ProcessEnv | undefined;
  const members = {
    __proto__: process,
    // Created lazily: most services never read it, and a start would copy it for each.
    get env() {
      env ??= { ...present, REEF_DATA_DIR: dataDir };
      return env;
    },
    set env(value) {
      env = value;
    },
    exit: refuse("exit"),
    reallyExit: refuse("reallyExit"),
    abort: refuse("abort"),
    chdir: refuse("chdir"),
    // The IPC channel belongs to the server.
    send: undefined,
    disconnect: undefined,
    channel: undefined,
    connected: false,
    on: add("on"),
    addListener: add("on"),
    once: add("on", true),
    prependListener: add("prependListener"),
    prependOnceListener: add("prependListener", true),
    off: remove,
    removeListener: remove,
    emit: (event: string | symbol, ...args: unknown[]) => {
      const called = [...registrations].filter((one) => one.event === event);
      for (const { registered } of called) registered(...args);
      return called.length > 0;
    },
    removeAllListeners: (event?: string | symbol) => {
      forgetAll(event);
      return own.process;
    },
  };
  const own: OwnProcess = {
    process: members as unknown as NodeJS.Process,
    onChange: () => undefined,
    release: forgetAll,
  };
  return own;
}
