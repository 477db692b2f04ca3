/** A `process` for one service: its own `env`, no way to end the server, and listeners that can be taken back. */

type Listener = (...args: unknown[]) => void | Promise<void>;

interface Registration {
  event: string | symbol;
  listener: Listener;
  /** What the real process calls. */
  registered: (...args: unknown[]) => void;
}

/** Calls a listener in the service's context and keeps what it throws. */
export type Invoke = (event: string, listener: () => void | Promise<void>) => void;

export interface OwnProcess {
  process: NodeJS.Process;
  /** Called with the number of listeners whenever it changes. */
  onChange: (count: number) => void;
  /** Takes all listeners back. */
  release(): void;
}

/** The process that the code of each graph sees. */
export const processOfGraph = new WeakMap<object, NodeJS.Process>();

/** What registers listeners, calls them, and takes them back. */
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

/** As they are before process-guard.ts leads services from them to here. */
const real = { on: process.on, prependListener: process.prependListener, off: process.off };

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

/** Makes the `process` that the code of service `label` sees; its `REEF_DATA_DIR` is `dataDir`. */
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
    // Most services never ask for it, and a start would make it for each of them.
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
    // The channel to whoever started the process is the server's.
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
