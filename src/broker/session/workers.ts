/** Creates workers for the pool, each with a session. */
import { BrokerError } from "../errors.js";
import type { WorkerFactory } from "../factory.js";
import type { Quarantine } from "../pool/crash-backoff.js";
import type { PoolHost, WorkerOwner } from "../pool/pool.js";
import type { Slot } from "../pool/slot.js";
import type { Worker, WorkerEvents } from "../pool/worker.js";
import type { Providers } from "../providers.js";
import { Session } from "../session.js";
import type { EventSink, LogSink } from "../sinks.js";
import type { Requests } from "./requests.js";

/** @internal Creates the workers that the pool requests and reports their crashes. */
export class WorkerSessions implements PoolHost {
  readonly #sessions = new Map<Worker, Session>();

  constructor(
    private readonly providers: Providers,
    private readonly factory: WorkerFactory,
    private readonly requests: Requests,
    private readonly log: LogSink,
    private readonly events: EventSink,
  ) {}

  /** The session of a running worker. */
  of(worker: Worker): Session | undefined {
    return this.#sessions.get(worker);
  }

  async create(slot: Slot, owner: WorkerOwner): Promise<Worker> {
    const { serviceKey, permissions } = slot;
    const [pluginId, serviceName] = splitServiceKey(serviceKey);
    const plugin = this.providers.plugin(pluginId);
    const service = plugin?.services.get(serviceName);
    if (!plugin || !service) throw new BrokerError("unavailable", `${serviceKey} no longer exists`);
    let session: Session | null = null;
    let made: Worker | null = null;
    const events: WorkerEvents = {
      log: (stream, line) => this.log.write({ pluginId, service: serviceName, stream, line }),
      request: (id, parent, request) => {
        if (session) this.requests.handle(session, id, parent, request);
      },
      withdraw: (id) => session?.withdraw(id) ?? false,
      recovered: () => owner.recovered(),
      exit: (reason) => {
        session?.end();
        if (made) this.#sessions.delete(made);
        plugin.code.release();
        owner.exited(reason);
      },
    };
    plugin.code.use();
    const { worker, proxySocket } = await this.factory
      .create(plugin, service, permissions, events)
      .catch((error) => {
        plugin.code.release();
        throw error;
      });
    made = worker;
    session = new Session(plugin, permissions, proxySocket, (line) => events.log("broker", line));
    session.worker = worker;
    this.#sessions.set(worker, session);
    return worker;
  }

  isWaiting(worker: Worker): boolean {
    const session = this.#sessions.get(worker);
    return worker.inFlight.size > 0 && session?.areWaiting(worker.inFlight.keys()) === true;
  }

  crashed(slot: Slot, reason: string): void {
    this.#report(slot, "broker.worker_crashed", reason);
  }

  quarantined(slot: Slot, { reason }: Quarantine): void {
    this.#report(slot, "broker.quarantined", reason);
  }

  #report(slot: Slot, type: "broker.worker_crashed" | "broker.quarantined", reason: string): void {
    const [pluginId, service] = splitServiceKey(slot.serviceKey);
    this.log.write({ pluginId, service, stream: "broker", line: reason });
    this.events.emit({ type, pluginId, service, reason, time: new Date().toISOString() });
  }
}

/** Splits a service key. Scoped identifiers contain a slash; service names never do. */
function splitServiceKey(key: string): [pluginId: string, service: string] {
  const at = key.lastIndexOf("/");
  return [key.slice(0, at), key.slice(at + 1)];
}
