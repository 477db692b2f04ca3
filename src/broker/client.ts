/** The runtime API that plugins import: calls, storage, events and commands. */
import type { Json } from "../core/types.js";
import { runtimeBridge } from "./worker/bridge.js";

/**
 * A method as implemented by a plugin. Receives validated input, whose type it declares itself, and returns
 * what its output schema describes.
 */
export type ServiceMethod = (input: Json) => unknown;

/** The default export of a service plugin's main file. */
export interface ServiceDefinition {
  /** Methods by service and name. Only those that the manifest declares can be called. */
  services: Record<string, Record<string, ServiceMethod>>;
  /** Runs in each worker before the first call. If it fails, the worker does not start. */
  onInit?(): unknown;
  /** Runs before a worker ends; has five seconds. */
  onDestroy?(): unknown;
}

/** Options of a call. */
export interface CallOptions {
  /**
   * The timeout in milliseconds; default 30,000, at most 600,000, and never more than the caller's remaining
   * time.
   */
  timeout?: number;
  /** Cancels the call. */
  signal?: AbortSignal;
}

/** Methods of other plugins. */
export const services = {
  /**
   * Calls a method of another plugin, which runs with the permissions that both plugins have. Rejects with an
   * error that has a `code`, an HTTP `status` and `details`.
   *
   * @example
   * ```ts
   * const { result } = await services.call("com.example.math-plugin", "math", "add", { a: 5, b: 3 });
   * ```
   */
  call<Result = Json>(
    pluginId: string,
    service: string,
    method: string,
    input?: unknown,
    options: CallOptions = {},
  ): Promise<Result> {
    const { timeout, signal } = options;
    return runtimeBridge().request(
      { kind: "call", target: [pluginId, service, method], input, timeout },
      signal,
    ) as Promise<Result>;
  },
};

/** The methods of `T` as callable through a client: with positional arguments or one object, returning promises. */
export type ServiceClient<T> = {
  [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer Args
  ) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

/**
 * A typed client for one service. Positional arguments are mapped to the properties of the method's input
 * schema in order; a single plain object is passed unchanged.
 *
 * @example
 * ```ts
 * interface MathService { add(a: number, b: number): Promise<{ result: number }> }
 * const { result } = await createServiceClient<MathService>("com.example.math-plugin", "math").add(5, 3);
 * ```
 */
export function createServiceClient<T>(
  pluginId: string,
  service: string,
  options: CallOptions = {},
): ServiceClient<T> {
  const { timeout, signal } = options;
  return clientOf<T>((method, args) =>
    runtimeBridge().request({ kind: "call", target: [pluginId, service, method], args, timeout }, signal),
  );
}

/** @internal A client that forwards each call with its positional arguments. */
export function clientOf<T>(send: (method: string, args: unknown[]) => Promise<unknown>): ServiceClient<T> {
  const methods = new Map<string, (...args: unknown[]) => Promise<unknown>>();
  return new Proxy(Object.create(null), {
    get(_target, name) {
      // Not a thenable, so that the client itself can be awaited.
      if (typeof name !== "string" || name === "then") return undefined;
      let method = methods.get(name);
      if (!method) {
        method = (...args) => send(name, args);
        methods.set(name, method);
      }
      return method;
    },
  }) as ServiceClient<T>;
}

/**
 * The plugin's own key-value storage, persisted by the broker. Needs the `storage` permission. Keys have 1 to
 * 512 characters. Rejects with `permission_denied`, `invalid_input`, and `unavailable` where the broker has no
 * storage.
 *
 * @example
 * ```ts
 * const count = (await storage.get<number>("count")) ?? 0;
 * await storage.set("count", count + 1);
 * ```
 */
export const storage = {
  /** The value under a key, `undefined` when there is none. */
  async get<Value = unknown>(key: string): Promise<Value | undefined> {
    return (await runtimeBridge().request({ kind: "storage", action: "get", key })) as Value | undefined;
  },
  /** Stores a JSON value. Resolves when it is stored. */
  async set(key: string, value: unknown): Promise<void> {
    await runtimeBridge().request({ kind: "storage", action: "set", key, value });
  },
  /** Deletes a key; does nothing when it does not exist. */
  async delete(key: string): Promise<void> {
    await runtimeBridge().request({ kind: "storage", action: "delete", key });
  },
  /** All keys. Rejects with `invalid_output` if they exceed four million characters. */
  async keys(): Promise<string[]> {
    return (await runtimeBridge().request({ kind: "storage", action: "keys" })) as string[];
  },
};

/** Events to the control plane. Needs the `events` permission for the event's name. */
export const events = {
  /**
   * Emits `plugin:<identifier>:<name>` with a JSON value. Resolves when the broker has forwarded it; rejects
   * with `permission_denied`, and with `invalid_input` for a name that is empty or longer than 512 characters.
   *
   * @example
   * ```ts
   * await events.emit("finished", { ok: true });
   * ```
   */
  async emit(name: string, data?: unknown): Promise<void> {
    await runtimeBridge().request({ kind: "event", name, data });
  },
};

/** The result of a command. */
export interface CommandResult {
  /** The exit code, or null if a signal ended it. */
  code: number | null;
  /** The output: at most 1 MB of each stream, less for binary data; the rest is dropped. */
  stdout: string;
  stderr: string;
}

/** Commands of the machine. Needs the `shell:execute` permission for the command and its arguments. */
export const shell = {
  /**
   * Runs a program without a shell, confined to the same files and hosts as the plugin. It is killed after
   * `timeout` milliseconds (default 30,000), at the deadline of the call it belongs to, and when the worker's
   * commands exceed the memory limit and it is the largest. Processes that it started end with it. Resolves
   * however it ends; rejects with `permission_denied`, `invalid_input`, and `not_found` for an unknown program.
   *
   * @example
   * ```ts
   * const { stdout } = await shell.execute("git", ["log", "--oneline"]);
   * ```
   */
  async execute(
    command: string,
    args: string[] = [],
    options: { timeout?: number } = {},
  ): Promise<CommandResult> {
    return (await runtimeBridge().request({
      kind: "shell",
      command,
      args,
      timeout: options.timeout,
    })) as CommandResult;
  },
};

/** The current call. */
export interface CurrentCall {
  /** Aborted when the caller no longer waits. */
  readonly signal: AbortSignal;
  /** The remaining time in milliseconds. */
  readonly remaining: number;
  /** The caller's identifier. */
  readonly caller: string;
}

/**
 * The call that the running code handles; `undefined` outside of one, as in `onInit` or timers.
 *
 * @example
 * ```ts
 * const { caller, remaining } = currentCall() ?? {};
 * ```
 */
export function currentCall(): CurrentCall | undefined {
  return runtimeBridge().currentCall();
}
