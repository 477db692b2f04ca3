/** A timer wheel for the deadlines of calls. */

const TICK = 16;
const SLOTS = 512;
const IDLE_TICKS = 64;

/** Base class of objects with a deadline; `expire` is called once when it has passed. */
export abstract class Deadline {
  /** @internal Neighbours in the wheel. */
  previous: Deadline | null = null;
  /** @internal */
  next: Deadline | null = null;
  /** When it expires, in `performance.now()` time. */
  expiresAt = 0;
  abstract expire(): void;
}

class Slot extends Deadline {
  expire(): void {
    throw new Error("a slot has no deadline");
  }
}

/**
 * Manages many deadlines with one timer: setting and clearing one takes a few assignments. Expiry is detected
 * at most one tick (16 ms) late and never early. The timer stops when idle.
 */
export class TimerWheel {
  #slots = Array.from({ length: SLOTS }, () => new Slot());
  #timer: ReturnType<typeof setInterval> | null = null;
  #count = 0;
  #idle = 0;
  #position = 0;

  constructor(private readonly clock: () => number = () => performance.now()) {}

  /** The number of deadlines set. */
  get size(): number {
    return this.#count;
  }

  /** Sets a deadline `delay` milliseconds after `now`. */
  add(deadline: Deadline, delay: number, now: number = this.clock()): void {
    deadline.expiresAt = now + delay;
    if (this.#timer === null) this.#start(now);
    const slot = this.#slots[Math.ceil(deadline.expiresAt / TICK) % SLOTS] as Slot;
    deadline.previous = slot;
    deadline.next = slot.next;
    if (slot.next !== null) slot.next.previous = deadline;
    slot.next = deadline;
    this.#count++;
  }

  /** Clears a deadline; does nothing when it is not set. */
  remove(deadline: Deadline): void {
    if (deadline.previous === null) return;
    deadline.previous.next = deadline.next;
    if (deadline.next !== null) deadline.next.previous = deadline.previous;
    deadline.previous = null;
    deadline.next = null;
    this.#count--;
  }

  #start(now: number): void {
    this.#position = Math.floor(now / TICK);
    this.#idle = 0;
    this.#timer = setInterval(() => this.tick(), TICK);
  }

  /** Expires due deadlines. Called by the timer, and by tests with their own clock. */
  tick(): void {
    const now = this.clock();
    const target = Math.floor(now / TICK);
    const from = Math.max(this.#position, target - SLOTS);
    this.#position = target;
    const due: Deadline[] = [];
    for (let position = from + 1; position <= target; position++) {
      for (let entry = (this.#slots[position % SLOTS] as Slot).next; entry !== null; entry = entry.next) {
        if (entry.expiresAt <= now) due.push(entry);
      }
    }
    for (const entry of due) {
      // May have been cleared by another deadline that expired in this tick.
      if (entry.previous === null) continue;
      this.remove(entry);
      entry.expire();
    }
    this.#idle = this.#count === 0 ? this.#idle + 1 : 0;
    if (this.#idle > IDLE_TICKS) this.stop();
  }

  /** Stops the timer; the next deadline starts it again. */
  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }
}
