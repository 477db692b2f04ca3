/** Handles the requests that workers make. */
import { CommandWatch } from "../commands/watch.js";
import { runCommand } from "../commands.js";
import { type CallContext, type Dispatch, trustedContext } from "../context.js";
import { BrokerError } from "../errors.js";
import type { WorkerFactory } from "../factory.js";
import type { BrokerLimits } from "../limits.js";
import { describeDenial, explain } from "../permissions/check.js";
import type { WireRequest } from "../protocol.js";
import type { Session } from "../session.js";
import type { EventSink, PluginStorage } from "../sinks.js";

/** What handling requests needs of the broker. */
export interface RequestHost {
  readonly limits: BrokerLimits;
  readonly factory: WorkerFactory;
  readonly events: EventSink;
  readonly storage: PluginStorage | null;
  readonly searchPath: string;
  readonly dispatch: Dispatch;
}

/** The maximum length of a key, or of the name of an event, plugin, service or method. */
const MAX_NAME = 512;
/** The maximum length of a command with its arguments, as JSON. */
const MAX_COMMAND = 128 * 1024;

function assertInput(ok: boolean, what: string): asserts ok {
  if (!ok) throw new BrokerError("invalid_input", what);
}

const isText = (value: unknown): value is string => typeof value === "string";

/** Handles workers' requests, each with the permissions of its call chain. */
export class Requests {
  readonly #watch: CommandWatch;

  constructor(private readonly host: RequestHost) {
    this.#watch = new CommandWatch(host.limits);
  }

  /** Handles a request and answers it on the worker's channel. Never throws. */
  handle(session: Session, id: number, parent: number, request: WireRequest): void {
    const { worker } = session;
    if (!worker) return;
    if (session.isOpen(id)) {
      // Otherwise the open one could be neither counted nor cancelled.
      worker.kill("it reused the id of an open request");
      return;
    }
    const signal = session.open(id, parent, request.kind === "call", this.host.limits.maxNestedCalls);
    if (!signal) {
      worker.refuse(id, new BrokerError("overloaded", "the worker has too many requests open"));
      return;
    }
    this.#answer(session, parent, request, signal)
      .then(
        (value) => worker.respond(id, value),
        (error) => worker.refuse(id, error),
      )
      .finally(() => session.close(id));
  }

  /** The context of a request: that of the call it names, else the worker's own. */
  #contextOf(session: Session, parent: number): CallContext {
    if (parent !== 0) {
      const run = session.runs.get(parent);
      if (!run) throw new BrokerError("cancelled", "the call that this belongs to has ended");
      return run.nested;
    }
    let depth = 0;
    for (const run of session.runs.values()) depth = Math.max(depth, run.nested.depth);
    return {
      ...trustedContext(session.plugin.id),
      permissions: session.permissions,
      parties: [{ id: session.plugin.id, permissions: session.permissions }],
      depth,
    };
  }

  async #answer(
    session: Session,
    parent: number,
    request: WireRequest,
    signal: AbortSignal,
  ): Promise<unknown> {
    const context = this.#contextOf(session, parent);
    switch (request.kind) {
      case "call":
        return this.#call(context, request, signal);
      case "storage":
        return this.#store(session, context, request);
      case "event":
        return this.#emit(session, context, request);
      case "shell":
        return this.#shell(session, context, request, signal);
      default:
        throw new BrokerError("invalid_input", "an unknown request");
    }
  }

  #call(
    context: CallContext,
    request: WireRequest & { kind: "call" },
    signal: AbortSignal,
  ): Promise<unknown> {
    const { target, args, input, timeout } = request;
    assertInput(
      Array.isArray(target) && target.length === 3 && target.every(isText),
      "a call must name plugin, service and method",
    );
    assertInput(
      target.every((name) => name.length <= MAX_NAME),
      `a name must be a string of at most ${MAX_NAME} characters`,
    );
    assertInput(args === undefined || Array.isArray(args), "arguments must be a list");
    const [pluginId, service, method] = target;
    const payload = args === undefined ? { input } : { args };
    return this.host.dispatch(context, pluginId, service, method, payload, { timeout, signal });
  }

  #permit(context: CallContext, permission: string, resource?: string): void {
    const denial = explain(context.parties, permission, resource);
    if (denial) throw new BrokerError("permission_denied", describeDenial(denial), { denial });
  }

  async #store(
    session: Session,
    context: CallContext,
    request: WireRequest & { kind: "storage" },
  ): Promise<unknown> {
    this.#permit(context, "storage");
    const { storage } = this.host;
    if (!storage) throw new BrokerError("unavailable", "this broker has no storage for plugins");
    const { action, key, value } = request;
    const { id } = session.plugin;
    if (action === "keys") return storage.keys(id);
    assertInput(
      isText(key) && key.length > 0 && key.length <= MAX_NAME,
      `a key must be a string of 1 to ${MAX_NAME} characters`,
    );
    if (action === "get") return storage.get(id, key);
    if (action === "delete") return storage.delete(id, key);
    assertInput(action === "set", "storage supports only get, set, delete and list");
    return storage.set(id, key, value ?? null);
  }

  async #emit(
    session: Session,
    context: CallContext,
    request: WireRequest & { kind: "event" },
  ): Promise<void> {
    const { name, data } = request;
    assertInput(isText(name) && name.length > 0 && name.length <= MAX_NAME, "an event needs a name");
    this.#permit(context, "events", name);
    this.host.events.emit({
      type: "broker.plugin_event",
      pluginId: session.plugin.id,
      name,
      data,
      time: new Date().toISOString(),
    });
  }

  async #shell(
    session: Session,
    context: CallContext,
    request: WireRequest & { kind: "shell" },
    signal: AbortSignal,
  ): Promise<unknown> {
    const { command, args, timeout } = request;
    assertInput(isText(command) && command !== "" && !command.includes("\0"), "needs the command to run");
    assertInput(
      Array.isArray(args) && args.every((one) => isText(one) && !one.includes("\0")),
      "args must be a list of strings",
    );
    assertInput(
      timeout === undefined || (Number.isFinite(timeout) && timeout > 0),
      "timeout must be a number of milliseconds",
    );
    const line = JSON.stringify({ command, args });
    assertInput(
      line.length <= MAX_COMMAND,
      `a command must have at most ${MAX_COMMAND} characters, including its arguments`,
    );
    this.#permit(context, "shell:execute", line);
    const { limits, factory, searchPath } = this.host;
    const left = Math.min(
      timeout ?? limits.defaultTimeout,
      limits.maxTimeout,
      context.deadline - performance.now(),
    );
    return runCommand(command, args, {
      plugin: session.plugin,
      permissions: session.permissions,
      env: factory.environmentFor(session.permissions, session.plugin),
      proxySocket: session.proxySocket,
      confined: await factory.confines(session.plugin),
      searchPath,
      timeout: Math.max(1, left),
      signal,
      maxFileRules: limits.maxFileRules,
      watch: this.#watch,
      owner: session,
      note: session.note,
    });
  }
}
