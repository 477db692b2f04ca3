/** The main file of every worker: loads one service of a plugin and answers calls on the channel. */
import { AsyncLocalStorage } from "node:async_hooks";
import { Channel } from "../channel.js";
import type { CurrentCall, ServiceDefinition, ServiceMethod } from "../client.js";
import { BrokerError } from "../errors.js";
import { CHANNEL_DESCRIPTOR, OP, type WireError, type WireRequest, type WorkerSetup } from "../protocol.js";
import { connectRuntime } from "./bridge.js";
import { Checking } from "./checking.js";
import { provideRuntimeModules } from "./modules.js";
import { brokerErrorFrom, toWire } from "./wire-error.js";

class ActiveCall implements CurrentCall {
  #controller: AbortController | undefined;
  #cancelled = false;
  readonly #deadline: number;

  constructor(
    readonly id: number,
    remaining: number,
    readonly caller: string,
  ) {
    this.#deadline = performance.now() + remaining;
  }

  get remaining(): number {
    return Math.max(0, this.#deadline - performance.now());
  }

  get signal(): AbortSignal {
    if (!this.#controller) {
      this.#controller = new AbortController();
      if (this.#cancelled) this.#controller.abort();
    }
    return this.#controller.signal;
  }

  cancel(): void {
    this.#cancelled = true;
    this.#controller?.abort();
  }
}

interface Waiting {
  resolve(value: unknown): void;
  reject(error: Error): void;
}

const current = new AsyncLocalStorage<ActiveCall>();
const active = new Map<number, ActiveCall>();
const waiting = new Map<number, Waiting>();
let lastRequest = 0;
let setup: WorkerSetup | undefined;
let definition: ServiceDefinition | undefined;
let methods = new Map<string, ServiceMethod>();
let checking: Checking | undefined;
let ending = false;

/** The limits until the setup arrives: the first message contains the manifest's schemas, up to 1 MB. */
const limits = { maxMessage: 4 * 1024 * 1024, maxBacklog: 256 * 1024 * 1024 };
const channel = await Channel.open(CHANNEL_DESCRIPTOR, limits, {
  onMessage: receive,
  onClose: () => process.exit(0),
});

connectRuntime({ request, currentCall: () => current.getStore() });
provideRuntimeModules();
process.on("uncaughtException", die);
process.on("unhandledRejection", die);
// Some supervisors signal all processes. The server is signalled too, and ends its workers when they have
// finished.
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => undefined);

function receive(message: unknown[]): void {
  switch (message[0]) {
    case OP.call:
      answer(message as CallMessage);
      return;
    case OP.result:
      settle(message[1] as number, (one) => one.resolve(message[2]));
      return;
    case OP.error:
      settle(message[1] as number, (one) => one.reject(brokerErrorFrom(message[2])));
      return;
    case OP.cancel:
      active.get(message[1] as number)?.cancel();
      return;
    case OP.ping:
      channel.send([OP.pong]);
      return;
    case OP.init:
      start(message[1] as WorkerSetup).then(() => channel.send([OP.ready]), die);
      return;
    case OP.checks:
      checking?.take(message[1] as string);
      return;
    case OP.destroy:
      void destroy();
      return;
  }
}

function settle(id: number, how: (waiting: Waiting) => void): void {
  const one = waiting.get(id);
  waiting.delete(id);
  if (one) how(one);
}

async function start(given: WorkerSetup): Promise<void> {
  setup = given;
  limits.maxMessage = given.maxMessage;
  if (given.schemas) checking = new Checking(`${given.pluginId}/${given.service}`, given.schemas);
  // The process started in the code copy, so Bun has read no configuration that was not accepted.
  process.chdir(process.env.EXTENSION as string);
  const loaded = (await import(given.main)) as { default?: unknown };
  definition = checkDefinition(loaded.default);
  const service = Object.hasOwn(definition.services, given.service)
    ? definition.services[given.service]
    : undefined;
  if (typeof service !== "object" || service === null) {
    throw new TypeError(`the default export has no service "${given.service}"`);
  }
  methods = new Map(given.methods.map((name) => [name, methodOf(service, name)]));
  await definition.onInit?.();
}

function checkDefinition(value: unknown): ServiceDefinition {
  const found = value as ServiceDefinition | undefined;
  if (
    typeof found !== "object" ||
    found === null ||
    typeof found.services !== "object" ||
    found.services === null
  ) {
    throw new TypeError("the default export of the main file must be { services }");
  }
  return found;
}

function methodOf(service: Record<string, ServiceMethod>, name: string): ServiceMethod {
  const method = service[name];
  const inherited = Object.prototype as unknown as Record<string, unknown>;
  if (typeof method !== "function" || method === inherited[name]) {
    throw new TypeError(`the method "${name}" is declared but not implemented`);
  }
  return method.bind(service);
}

type CallMessage = [
  op: number,
  id: number,
  name: string,
  input: unknown,
  remaining: number,
  caller: string,
  needsCheck: boolean,
];

function answer([, id, name, input, remaining, caller, needsCheck]: CallMessage): void {
  const call = new ActiveCall(id, remaining, caller);
  active.set(id, call);
  const refuse = (error: WireError) => {
    active.delete(id);
    channel.send([OP.error, id, error]);
  };
  const fail = (error: unknown) => refuse(toWire(error));
  const cannotBeSent = (error: unknown) =>
    fail(new BrokerError("invalid_output", `the result cannot be sent: ${toWire(error).message}`));
  const reply = (text: string) => {
    active.delete(id);
    channel.sendText(`[${OP.result},${id},${text}]`);
  };
  const succeed = (value: unknown) => {
    try {
      const text = JSON.stringify(value) ?? "null";
      if (!checking?.isNeeded(name, text)) return reply(text);
      checking
        .ofOutput(name, text)
        .then((failedCheck) => (failedCheck ? refuse(failedCheck) : reply(text)))
        .catch(cannotBeSent);
    } catch (error) {
      cannotBeSent(error);
    }
  };
  const run = () =>
    current.run(call, () => {
      try {
        const result = (methods.get(name) as ServiceMethod)(input);
        if (result instanceof Promise) result.then(succeed, fail);
        else Promise.resolve(result).then(succeed, fail);
      } catch (error) {
        fail(error);
      }
    });
  if (!needsCheck || !checking) run();
  else checking.ofInput(name, input).then((failedCheck) => (failedCheck ? refuse(failedCheck) : run()), fail);
}

function request(wanted: WireRequest, signal?: AbortSignal): Promise<unknown> {
  if (signal?.aborted) return Promise.reject(new BrokerError("cancelled", "the call was cancelled"));
  const id = ++lastRequest;
  return new Promise((resolve, reject) => {
    const withdraw = () => {
      channel.send([OP.cancel, id]);
      settle(id, (one) => one.reject(new BrokerError("cancelled", "the call was cancelled")));
    };
    const done = () => signal?.removeEventListener("abort", withdraw);
    waiting.set(id, {
      resolve: (value) => {
        done();
        resolve(value);
      },
      reject: (error) => {
        done();
        reject(error);
      },
    });
    signal?.addEventListener("abort", withdraw, { once: true });
    try {
      channel.send([OP.nested, id, current.getStore()?.id ?? 0, wanted]);
    } catch (error) {
      settle(id, (one) => one.reject(new BrokerError("invalid_input", toWire(error).message)));
    }
  });
}

function die(error: unknown): void {
  console.error(error);
  if (ending) return;
  ending = true;
  channel.send([OP.fatal, toWire(error)]);
  setTimeout(() => process.exit(1), 20);
}

async function destroy(): Promise<void> {
  if (ending) return;
  ending = true;
  const limit = setup?.destroyTimeout ?? 5_000;
  const timer = setTimeout(() => {
    console.error(`onDestroy did not finish within ${limit} ms`);
    process.exit(1);
  }, limit);
  try {
    await definition?.onDestroy?.();
  } catch (error) {
    console.error(error);
  }
  clearTimeout(timer);
  process.exit(0);
}
