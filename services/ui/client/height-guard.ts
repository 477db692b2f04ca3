/** Which of the heights that a panel asks for are followed. */
import { Rate } from "./rate.js";

const MAX_HEIGHT = 8000;
const WINDOW_MS = 10_000;
/** A panel whose height depends on the frame's makes it grow for ever; after so many changes it scrolls inside. */
const MAX_CHANGES = 40;

export class HeightGuard {
  #last = 0;
  readonly #changes = new Rate(MAX_CHANGES, WINDOW_MS);

  /** The height to give, or undefined to leave it as it is. `asked` is what a stranger sent. */
  next(asked: unknown, now: number): number | undefined {
    if (typeof asked !== "number" || !Number.isFinite(asked) || asked < 0) return undefined;
    const height = Math.min(MAX_HEIGHT, Math.ceil(asked));
    if (Math.abs(height - this.#last) < 2) return undefined;
    if (!this.#changes.allows(now)) return undefined;
    this.#last = height;
    return height;
  }
}
