import { isObject } from "../../core/objects.js";
import { MOST_LEVELS } from "../../core/validate/json-depth.js";
import { isNestedTooDeeply } from "../calls/depth.js";
import { Channel, MessageTooLarge } from "../channel.js";
import { BrokerError } from "../errors.js";
import type { BrokerLimits } from "../limits.js";
import { OP, type WireError, type WireRequest, type WorkerSetup } from "../protocol.js";
import { readWire, toWire } from "../worker/wire-error.js";
import { Strays } from "./strays.js";

/** Of one character, in UTF-8. */
const MOST_BYTES = 3;

/** What a worker is told of a call. */
export interface WorkerCall {
  method: string;
  input: unknown;
  /** Whether the worker is to check the input. */
  isToCheck: boolean;
  caller: string;
  /** Milliseconds left, asked when the call is handed over. */
  remaining(): number;
}

/** The two ways a call in a worker ends. */
export interface Reply {
  resolve(value: unknown): void;
  reject(error: BrokerError | WireError): void;
}

/** Who hears what a worker says. What returns a boolean says whether that was to be expected. */
export interface Listener {
  /** Its service is loaded. */
  ready(): boolean;
  /** It cannot go on. */
  fatal(error: WireError): boolean;
  /** It asks the broker for something on behalf of a call (0: of none). */
  request(id: number, parent: number, request: WireRequest): void;
  /** It withdraws such a request. */
  withdraw(id: number): boolean;
  /** It may take calls again: it answers after it was in doubt, or has read what waited for it. */
  recovered(): void;
  /** It hung up, or broke the protocol (`reason`). */
  closed(reason: string | null): void;
  /** It is of no use any more. */
  failed(reason: string): void;
  /** A text of its, as people are to read it. */
  shown(text: string): string;
}

/** What is said with a worker: calls and their answers, its own requests, and whether it is still there. */
export class Conversation {
  /** When there last was a call in flight. */
  lastUsed = performance.now();
  readonly inFlight = new Map<number, Reply>();
  #channel: Channel | null = null;
  #lastId = 0;
  #pinged: ReturnType<typeof setTimeout> | null = null;
  readonly #strays = new Strays();

  constructor(
    private readonly limits: BrokerLimits,
    private readonly listener: Listener,
  ) {}

  /** Begins it on a descriptor, by telling the worker what it is to be. */
  async begin(descriptor: number, setup: WorkerSetup): Promise<void> {
    this.#channel = await Channel.open(descriptor, this.limits, {
      onMessage: (message, text) => this.#receive(message, text),
      onDrained: () => this.listener.recovered(),
      onClose: (reason) => this.listener.closed(reason),
    });
    this.send([OP.init, setup]);
  }

  /** Whether the worker would hear of a call now, whatever its input, and has not just missed a deadline. */
  get isOpen(): boolean {
    if (this.#channel?.isOpen !== true || this.#pinged !== null) return false;
    return this.#channel.takes(this.limits.maxMessage * MOST_BYTES);
  }

  /** Throws when the message cannot be sent. */
  send(message: readonly unknown[]): void {
    this.#channel?.send(message);
  }

  /** Hands a call over and returns its number. Throws when the input cannot be sent. */
  call(call: WorkerCall, reply: Reply): number {
    const { method, input, caller, isToCheck } = call;
    const id = ++this.#lastId;
    try {
      this.send([OP.call, id, method, input, call.remaining(), caller, isToCheck]);
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

  /** No longer waits for a call. Returns whether it was in flight. */
  abandon(id: number): boolean {
    if (!this.inFlight.delete(id)) return false;
    this.lastUsed = performance.now();
    this.#strays.expect();
    this.send([OP.cancel, id]);
    return true;
  }

  /** Makes sure that the worker still lives: within so many milliseconds it has to show that. */
  ping(patience: number): void {
    if (this.#pinged) return;
    this.send([OP.ping]);
    this.#pinged = setTimeout(
      () => this.listener.failed(`it did not respond for ${patience} ms after a call was cancelled`),
      patience,
    );
  }

  /** Answers a request of the worker; with an error where too much waits already for the worker to read it. */
  respond(id: number, value: unknown): void {
    try {
      if (this.#sendIfRoom([OP.result, id, value])) return;
      this.refuse(id, new BrokerError("overloaded", "too many responses are waiting to be read"));
    } catch (error) {
      this.refuse(id, new BrokerError("invalid_output", toWire(error).message));
    }
  }

  /** Answers it with an error; without its details where these are too much. */
  refuse(id: number, error: unknown): void {
    const { details, ...wire } = toWire(error);
    try {
      if (details && this.#sendIfRoom([OP.error, id, { ...wire, details }])) return;
    } catch (tooLarge) {
      // What a plugin puts in its errors may be of any size.
      if (!(tooLarge instanceof MessageTooLarge)) throw tooLarge;
    }
    this.send([OP.error, id, wire]);
  }

  /** Sends a message if there is room for it. Returns whether there was; throws when it cannot be sent. */
  #sendIfRoom(message: readonly unknown[]): boolean {
    const text = JSON.stringify(message);
    if (!this.#channel?.takes(Buffer.byteLength(text))) return false;
    this.#channel.sendText(text);
    return true;
  }

  /** Ends it. What is in flight fails with `error`. */
  end(error: BrokerError): void {
    if (this.#pinged) clearTimeout(this.#pinged);
    this.#channel?.close();
    const lost = [...this.inFlight.values()];
    this.inFlight.clear();
    for (const reply of lost) reply.reject(error);
  }

  #receive(message: unknown[], text: string): void {
    if (isNestedTooDeeply(text) ? this.#refuseDeep(message) : this.#take(message)) return;
    const problem = this.#strays.add();
    if (problem) this.listener.failed(problem);
  }

  /** Takes in a message. Returns whether it was to be expected. */
  #take(message: unknown[]): boolean {
    switch (message[0]) {
      case OP.result:
        return this.#settle(message[1], (reply) => reply.resolve(message[2]));
      case OP.error:
        return this.#settle(message[1], (reply) => reply.reject(this.#errorOf(message[2])));
      case OP.nested:
        return this.#hearRequest(message);
      case OP.cancel:
        return this.listener.withdraw(Number(message[1]));
      case OP.pong:
        return this.#hearPong();
      case OP.ready:
        return this.listener.ready();
      case OP.fatal:
        return this.listener.fatal(this.#errorOf(message[1]));
      default:
        return false;
    }
  }

  /** Whoever goes through what a message carries would run out of stack. Returns whether it was to be expected. */
  #refuseDeep([op, id]: unknown[]): boolean {
    const what = `is nested in more than ${MOST_LEVELS} levels`;
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

  #hearRequest([, id, parent, request]: unknown[]): boolean {
    if (typeof id !== "number" || typeof parent !== "number" || !isObject(request)) return false;
    this.listener.request(id, parent, request as unknown as WireRequest);
    return true;
  }

  #hearPong(): boolean {
    if (this.#pinged === null) return false;
    clearTimeout(this.#pinged);
    this.#pinged = null;
    this.listener.recovered();
    return true;
  }
}
