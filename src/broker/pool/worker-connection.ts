/** The connection to one worker: calls and results, its own requests, and pings. */
import { isObject } from "../../core/objects.js";
import { MAX_LEVELS } from "../../core/validate/json-depth.js";
import { isNestedTooDeeply } from "../calls/depth.js";
import { Channel, MessageTooLarge } from "../channel.js";
import { BrokerError } from "../errors.js";
import type { BrokerLimits } from "../limits.js";
import { OP, type WireError, type WireRequest, type WorkerSetup } from "../protocol.js";
import { readWire, toWire } from "../worker/wire-error.js";
import { UnsolicitedMessages } from "./unsolicited.js";

/** Bytes per UTF-16 unit in UTF-8, at most. */
const MAX_UTF8_BYTES = 3;

/** A call, as passed to a worker. */
export interface WorkerCall {
  method: string;
  input: unknown;
  /** Whether the worker must validate the input. */
  needsCheck: boolean;
  caller: string;
  /** The remaining time in milliseconds, read when the call is sent. */
  remaining(): number;
}

/** Settles a call. */
export interface Reply {
  resolve(value: unknown): void;
  reject(error: BrokerError | WireError): void;
}

/** Handles messages of a worker. Functions that return a boolean report whether the message was expected. */
export interface ConnectionListener {
  /** The service is loaded. */
  ready(): boolean;
  /** The worker has failed and is about to end. */
  fatal(error: WireError): boolean;
  /** The worker makes a request on behalf of a call (`parent`; 0 for none). */
  request(id: number, parent: number, request: WireRequest): void;
  /** The worker cancels a request. */
  withdraw(id: number): boolean;
  /** The worker can take calls again: it has answered a ping, or read its queue. */
  recovered(): void;
  /** The worker has disconnected, or violated the protocol (`reason`). */
  closed(reason: string | null): void;
  /** The worker must be ended. */
  failed(reason: string): void;
  /** Converts paths in the worker's texts for display. */
  shown(text: string): string;
}

/** The protocol with one worker. */
export class WorkerConnection {
  /** When a call last ended, in `performance.now()` time. */
  lastUsed = performance.now();
  readonly inFlight = new Map<number, Reply>();
  #channel: Channel | null = null;
  #lastId = 0;
  #pinged: ReturnType<typeof setTimeout> | null = null;
  readonly #unsolicited = new UnsolicitedMessages();

  constructor(
    private readonly limits: BrokerLimits,
    private readonly listener: ConnectionListener,
  ) {}

  /** Opens the connection on a descriptor and sends the setup. */
  async begin(descriptor: number, setup: WorkerSetup): Promise<void> {
    this.#channel = await Channel.open(descriptor, this.limits, {
      onMessage: (message, text) => this.#receive(message, text),
      onDrained: () => this.listener.recovered(),
      onClose: (reason) => this.listener.closed(reason),
    });
    this.send([OP.init, setup]);
  }

  /** Whether the worker can take a call of any size now, and has no unanswered ping. */
  get isOpen(): boolean {
    if (this.#channel?.isOpen !== true || this.#pinged !== null) return false;
    return this.#channel.takes(this.limits.maxMessage * MAX_UTF8_BYTES);
  }

  /** Sends a message. Throws when it cannot be serialised or is too large. */
  send(message: readonly unknown[]): void {
    this.#channel?.send(message);
  }

  /** Sends a call and returns its number. Throws when the input cannot be sent. */
  call(call: WorkerCall, reply: Reply): number {
    const { method, input, caller, needsCheck } = call;
    const id = ++this.#lastId;
    try {
      this.send([OP.call, id, method, input, call.remaining(), caller, needsCheck]);
    } catch (error) {
      const tooLarge = error instanceof MessageTooLarge;
      throw new BrokerError(
        "invalid_input",
        tooLarge ? error.message : "the input is not JSON",
        {},
        { cause: error },
      );
    }
    this.inFlight.set(id, reply);
    return id;
  }

  /** Abandons a call. Returns whether it was in flight. */
  abandon(id: number): boolean {
    if (!this.inFlight.delete(id)) return false;
    this.lastUsed = performance.now();
    this.#unsolicited.expect();
    this.send([OP.cancel, id]);
    return true;
  }

  /** Pings the worker, which fails if it does not answer within `patience` milliseconds. */
  ping(patience: number): void {
    if (this.#pinged) return;
    this.send([OP.ping]);
    this.#pinged = setTimeout(
      () => this.listener.failed(`it did not respond for ${patience} ms after a call was cancelled`),
      patience,
    );
  }

  /** Answers a request of the worker; with an error when its queue is full. */
  respond(id: number, value: unknown): void {
    try {
      if (this.#sendIfRoom([OP.result, id, value])) return;
      this.refuse(id, new BrokerError("overloaded", "too many responses are waiting to be read"));
    } catch (error) {
      this.refuse(id, new BrokerError("invalid_output", toWire(error).message));
    }
  }

  /** Answers a request with an error, omitting the details if they are too large. */
  refuse(id: number, error: unknown): void {
    const { details, ...wire } = toWire(error);
    try {
      if (details && this.#sendIfRoom([OP.error, id, { ...wire, details }])) return;
    } catch (tooLarge) {
      // Details of plugins' errors may be of any size.
      if (!(tooLarge instanceof MessageTooLarge)) throw tooLarge;
    }
    this.send([OP.error, id, wire]);
  }

  /** Sends a message if the queue has space. Returns whether it had; throws when the message cannot be sent. */
  #sendIfRoom(message: readonly unknown[]): boolean {
    const text = JSON.stringify(message);
    if (!this.#channel?.takes(Buffer.byteLength(text))) return false;
    this.#channel.sendText(text);
    return true;
  }

  /** Closes the connection. Calls in flight fail with `error`. */
  end(error: BrokerError): void {
    if (this.#pinged) clearTimeout(this.#pinged);
    this.#channel?.close();
    const lost = [...this.inFlight.values()];
    this.inFlight.clear();
    for (const reply of lost) reply.reject(error);
  }

  #receive(message: unknown[], text: string): void {
    if (isNestedTooDeeply(text) ? this.#refuseNested(message) : this.#handle(message)) return;
    const problem = this.#unsolicited.add();
    if (problem) this.listener.failed(problem);
  }

  /** Handles a message. Returns whether it was expected. */
  #handle(message: unknown[]): boolean {
    switch (message[0]) {
      case OP.result:
        return this.#settle(message[1], (reply) => reply.resolve(message[2]));
      case OP.error:
        return this.#settle(message[1], (reply) => reply.reject(this.#errorOf(message[2])));
      case OP.nested:
        return this.#onRequest(message);
      case OP.cancel:
        return this.listener.withdraw(Number(message[1]));
      case OP.pong:
        return this.#onPong();
      case OP.ready:
        return this.listener.ready();
      case OP.fatal:
        return this.listener.fatal(this.#errorOf(message[1]));
      default:
        return false;
    }
  }

  /**
   * Rejects a message whose nesting would exhaust the stack of code that walks it. Returns whether it was
   * expected.
   */
  #refuseNested([op, id]: unknown[]): boolean {
    const what = `is nested in more than ${MAX_LEVELS} levels`;
    if (op === OP.result || op === OP.error)
      return this.#settle(id, (reply) =>
        reply.reject(new BrokerError("invalid_output", `the answer ${what}`)),
      );
    if (op !== OP.nested || typeof id !== "number") return false;
    this.refuse(id, new BrokerError("invalid_input", `the request ${what}`));
    return true;
  }

  #settle(id: unknown, how: (reply: Reply) => void): boolean {
    const reply = this.inFlight.get(id as number);
    if (!reply) return false;
    this.inFlight.delete(id as number);
    this.lastUsed = performance.now();
    how(reply);
    return true;
  }

  #errorOf(thrown: unknown): WireError {
    const error = readWire(thrown);
    return { ...error, message: this.listener.shown(error.message) };
  }

  #onRequest([, id, parent, request]: unknown[]): boolean {
    if (typeof id !== "number" || typeof parent !== "number" || !isObject(request)) return false;
    this.listener.request(id, parent, request as unknown as WireRequest);
    return true;
  }

  #onPong(): boolean {
    if (this.#pinged === null) return false;
    clearTimeout(this.#pinged);
    this.#pinged = null;
    this.listener.recovered();
    return true;
  }
}
