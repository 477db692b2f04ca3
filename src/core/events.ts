/** The event bus between services. `reef:event` is stored by a sink before it is delivered. */
import { withCause } from "./causality.js";
import { isA } from "./errors.js";
import { isExchanging, isWorkOf } from "./generation/host-context.js";
import type { Scope } from "./scope.js";
import { ScopeEnded } from "./scope.js";
import type { EventHandler, Json, ServiceEventBus as ServiceEventBusInterface } from "./types.js";

/** The event that is stored as a node of the event tree. */
export const TREE_EVENT = "reef:event";

/**
 * Stores a tree event. Resolves, once it is committed, with the object that subscribers receive, which has an
 * `id`.
 */
export type EventSink = (data: Json, from: string | undefined) => Promise<Json>;

interface Subscription {
  event: string;
  handler: EventHandler;
  /** Undefined for the host's own subscriptions. */
  scope: Scope | undefined;
}

/** Delivers events to the subscribers of active versions. */
export class EventBus {
  readonly #subscriptions = new Map<string, Set<Subscription>>();
  #sink: EventSink | undefined;
  readonly #report: (where: string, error: unknown) => void;

  /** @param report Receives errors of the host's own handlers. */
  constructor(
    report: (where: string, error: unknown) => void = (where, error) => console.error(where, error),
  ) {
    this.#report = report;
  }

  /** Installs the sink for tree events. Returns the function that removes it. */
  setSink(sink: EventSink): () => void {
    this.#sink = sink;
    return () => {
      if (this.#sink === sink) this.#sink = undefined;
    };
  }

  /** Subscribes a handler, owned by `scope` if given. Returns the function that unsubscribes it. */
  subscribe(event: string, handler: EventHandler, scope?: Scope): () => void {
    if (typeof event !== "string" || event === "")
      throw new TypeError("events.on: the event name is required");
    if (typeof handler !== "function")
      throw new TypeError(`events.on("${event}"): the handler is not a function`);
    const subscription: Subscription = { event, handler, scope };
    let set = this.#subscriptions.get(event);
    if (!set) {
      set = new Set();
      this.#subscriptions.set(event, set);
    }
    set.add(subscription);
    let live = true;
    let withdraw: (() => void) | undefined;
    const unsubscribe = () => {
      if (!live) return;
      live = false;
      const current = this.#subscriptions.get(event);
      current?.delete(subscription);
      if (current?.size === 0) this.#subscriptions.delete(event);
      if (scope) scope.handlers--;
      withdraw?.();
    };
    if (scope) scope.handlers++;
    withdraw = scope?.own(unsubscribe);
    return unsubscribe;
  }

  /** The number of subscriptions to one event, or to all. */
  count(event?: string): number {
    if (event !== undefined) return this.#subscriptions.get(event)?.size ?? 0;
    let total = 0;
    for (const set of this.#subscriptions.values()) total += set.size;
    return total;
  }

  /** The names of the events to which a version subscribes, sorted. */
  heardBy(scope: Scope): string[] {
    const heard = [...this.#subscriptions].filter(([, set]) => [...set].some((s) => s.scope === scope));
    return heard.map(([event]) => event).sort();
  }

  /**
   * Delivers an event and waits for all handlers. Resolves with the stored node for tree events, else with
   * undefined.
   */
  async emit(event: string, data: Json, from?: Scope): Promise<Json> {
    if (event !== TREE_EVENT) {
      await this.#announce(event, data, from);
      return undefined;
    }
    const stored = this.#sink ? await this.#sink(data, from?.service) : data;
    // Events published by handlers become children of this event.
    if (this.count(event) > 0) {
      await withCause(stored?.id ?? null, () => this.#announce(event, stored, from));
    }
    return stored;
  }

  async #announce(event: string, data: Json, from: Scope | undefined): Promise<void> {
    const set = this.#subscriptions.get(event);
    if (set) await this.#deliver([...set], event, data, from);
  }

  async #deliver(targets: Subscription[], event: string, data: Json, from: Scope | undefined): Promise<void> {
    const running: Promise<void>[] = [];
    /** Services being exchanged, with what to wait for: the resulting version handles the event once. */
    const waiting = new Map<string, Promise<void>>();
    for (const target of targets) {
      const scope = target.scope;
      if (scope?.active && scope.paused && scope !== from && !isWorkOf(scope))
        waiting.set(scope.service, scope.paused);
      else if (!scope || scope.active || scope === from) running.push(this.#call(target, data));
    }
    for (const [service, paused] of waiting) {
      const later = paused.then(() => {
        const now = [...(this.#subscriptions.get(event) ?? [])].filter((s) => s.scope?.service === service);
        return this.#deliver(now, event, data, from);
      });
      // Emitted by the service that is being exchanged: waiting for its own exchange would never end.
      if (service === from?.service || isExchanging(service))
        later.catch((error) => this.#report(`event ${event}`, error));
      else running.push(later);
    }
    if (running.length > 0) await Promise.all(running);
  }

  async #call(target: Subscription, data: Json): Promise<void> {
    const { scope, handler, event } = target;
    try {
      if (!scope) {
        await handler(data);
        return;
      }
      const result = scope.handling.run(() => scope.run(handler, data));
      if (result instanceof Promise) await scope.outlive(result);
    } catch (error) {
      if (isA(error, ScopeEnded)) return;
      if (scope) scope.fault(`handler of event "${event}"`, error);
      else this.#report(`handler of event "${event}"`, error);
    }
  }

  /** The bus as one service sees it; without a scope, as the host does. */
  view(scope?: Scope): ServiceEventBusInterface {
    const on = (event: string, handler: EventHandler) => this.subscribe(event, handler, scope);
    return {
      on,
      once: (event, handler) => {
        const off = on(event, (data) => {
          off();
          return handler(data);
        });
        return off;
      },
      emit: (event: string, data?: Json) => this.emit(event, data, scope),
      fire: (event: string, data?: Json) => {
        this.emit(event, data, scope).catch((error) => {
          if (scope) scope.fault(`firing "${event}"`, error);
          else this.#report(`firing "${event}"`, error);
        });
      },
    };
  }
}

/** The type of a standalone bus. */
export interface ServiceEventBus extends ServiceEventBusInterface {}
/**
 * A standalone bus, for tests of parts of a service.
 *
 * @example
 * const events = new ServiceEventBus();
 * events.on("board:task_created", ({ task }) => console.log(task.id));
 * await events.emit("board:task_created", { task: { id: "t1" } });
 */
export const ServiceEventBus = function ServiceEventBus() {
  return new EventBus().view();
} as unknown as new () => ServiceEventBusInterface;
