/** The table of slots. */
import type { BrokerLimits } from "../limits.js";
import type { Permissions } from "../permissions/set.js";
import { newSlot, type Slot } from "./slot.js";

/** The slots of current plugin versions, by service and permission key. */
export class SlotTable {
  readonly #services = new Map<string, Map<string, Slot>>();

  constructor(private readonly limits: BrokerLimits) {}

  /** The slot for a service and permissions, created if missing. */
  slotFor(serviceKey: string, permissions: Permissions, permissionKey: string): Slot {
    let slots = this.#services.get(serviceKey);
    if (!slots) {
      slots = new Map();
      this.#services.set(serviceKey, slots);
    }
    let slot = slots.get(permissionKey);
    if (!slot) {
      slot = newSlot(serviceKey, permissions, permissionKey, this.limits);
      slots.set(permissionKey, slot);
    }
    return slot;
  }

  /** The slots of one service. */
  *of(serviceKey: string): Generator<Slot> {
    yield* this.#services.get(serviceKey)?.values() ?? [];
  }

  /** All slots. */
  *[Symbol.iterator](): Generator<Slot> {
    for (const slots of this.#services.values()) yield* slots.values();
  }

  /** Removes and returns the slots of some services. */
  take(isTaken: (serviceKey: string) => boolean): Slot[] {
    const keys = [...this.#services.keys()].filter(isTaken);
    const taken = keys.flatMap((key) => [...this.of(key)]);
    for (const key of keys) this.#services.delete(key);
    return taken;
  }
}
