import type { Json } from "../core/types.js";
import { runtimeBridge } from "./worker/bridge.js";

/**
 * A method as its plugin writes it: gets the checked input, whose type it says itself, and answers what its output
 * schema describes.
 */
export type ServiceMethod = (input: Json) => unknown;

/** What the main file of a service plugin exports by default. */
export interface ServiceDefinition {
  /** Methods by service and name. Only those that the manifest declares can be called. */
  services: Record<string, Record<string, ServiceMethod>>;
  /** Runs in each worker before its first call; a failure means that the worker does not start. */
  onInit?(): unknown;
  /** Runs before a worker ends and has five seconds. */
  onDestroy?(): unknown;
}

/** How a call is made. */
export interface CallOptions {
  /** Milliseconds until the call fails; 30,000 when absent, at most 600,000 and never more than the caller has left. */
  timeout?: number;
  /** Withdraws the call. */
  signal?: AbortSignal;
}

/** Methods of other plugins. */
export const services = {
  /**
   * Calls a method of another plugin. What that plugin does for us happens under the
   * permissions that both of us have. Rejects with an error that has a `code`, an HTTP
   * `status` and `details`.
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

/** The methods of `T` as they can be called: positionally or with one object, answered by a promise. */
export type ServiceClient<T> = {
  [K in keyof T as T[K] extends (...args: never[]) => unknown ? K : never]: T[K] extends (
    ...args: infer Args
  ) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

/**
 * A typed client for one service. Arguments are matched to the properties of the method's
 * input schema in their order; a single plain object is passed as it is.
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

/** @internal A client that sends each call on with its positional arguments. */
export function clientOf<T>(send: (method: string, args: unknown[]) => Promise<unknown>): ServiceClient<T> {
  const methods = new Map<string, (...args: unknown[]) => Promise<unknown>>();
  return new Proxy(Object.create(null), {
    get(_target, name) {
      // A client that is awaited must not look like a promise.
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
 * The plugin's own values, kept by the broker across restarts. Needs the `storage`
 * permission. Keys have 1 to 512 characters. Rejects with `permission_denied`,
 * `invalid_input`, and `unavailable` where the broker has no storage.
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
  /** Keeps a JSON value under a key. Resolves when it is stored. */
  async set(key: string, value: unknown): Promise<void> {
    await runtimeBridge().request({ kind: "storage", action: "set", key, value });
  },
  /** Forgets a key; does nothing when it is not there. */
  async delete(key: string): Promise<void> {
    await runtimeBridge().request({ kind: "storage", action: "delete", key });
  },
  /** All keys that have a value. Rejects with `invalid_output` for more than four million characters of them. */
  async keys(): Promise<string[]> {
    return (await runtimeBridge().request({ kind: "storage", action: "keys" })) as string[];
  },
};

/** Events to the control plane. Needs the `events` permission for the event's name. */
export const events = {
  /**
   * Emits `plugin:<identifier>:<name>` with a JSON value. Resolves when the broker has
   * passed it on; rejects with `permission_denied`, and with `invalid_input` for a name
   * that is empty or has more than 512 characters.
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

/** How a command ended. */
export interface CommandResult {
  /** The exit code, or null when a signal ended it. */
  code: number | null;
  /** Output, at most 1 MB of each, less where it is no text; the rest is dropped. */
  stdout: string;
  stderr: string;
}

/** Commands of the machine. Needs the `shell:execute` permission for the command and its arguments. */
export const shell = {
  /**
   * Runs a program without a shell, confined to the same files and hosts as the plugin.
   * It is killed after `timeout` milliseconds, 30,000 when absent, when the call that it
   * belongs to has no time left, and when it holds most of the memory of which the worker's
   * commands hold too much. What it has started ends with it. Resolves however it ends; rejects with
   * `permission_denied`, `invalid_input`, and `not_found` for a program that is not there.
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

/** The call that is being answered. */
export interface CurrentCall {
  /** Aborted when the caller no longer waits. */
  readonly signal: AbortSignal;
  /** Milliseconds that are left. */
  readonly remaining: number;
  /** Who calls. */
  readonly caller: string;
}

/** The call that the running code answers, or `undefined` outside of one (`onInit`, own timers). */
export function currentCall(): CurrentCall | undefined {
  return runtimeBridge().currentCall();
}
