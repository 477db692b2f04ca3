/** A single JSON value in a file. */
import type { TSchema } from "@sinclair/typebox";
import { StorageError } from "../core/storage-error.js";
import { DamagedContent, type JsonDocumentOptions } from "./json-document.js";
import { JsonStore } from "./json-store.js";
import { asStored, checkShape, fits } from "./json-value.js";

/** Options of a {@link JsonFile}. */
export interface JsonFileOptions<T> extends JsonDocumentOptions {
  /**
   * The value while there is no file. Without a schema it also fixes the kind of value (object, array, string,
   * number or boolean); `null` allows any kind.
   */
  initial: T;
  /** Checked when the value is read and when it is written. */
  schema?: TSchema;
  /**
   * Migrates the parsed content of a file that an earlier version wrote. Called at every read, so it must
   * return current values unchanged.
   */
  upgrade?: (stored: unknown) => unknown;
}

/**
 * One JSON value in a file, for settings, counters and small state.
 *
 * The value is frozen and changes only through `update()`; it never shows anything that is not on disk. The
 * file is opened at first use.
 *
 * @example
 * const settings = new JsonFile({ path: "clock.json", initial: { zone: "UTC", alarms: 0 } });
 * await settings.update((now) => ({ ...now, alarms: now.alarms + 1 }));
 * settings.value.alarms; // 1, and it survives a crash
 */
export class JsonFile<T> extends JsonStore<Readonly<T>> {
  readonly #schema: TSchema | undefined;
  readonly #hasOtherKind: (value: unknown) => boolean;

  /** @throws StorageError `STORAGE_PATH` or `STORAGE_SHAPE` (of `initial`). */
  constructor(options: JsonFileOptions<T>) {
    const { path, initial, schema, upgrade } = options;
    const first = asStored(initial, `the initial value of ${path}`);
    checkShape(schema, first, `the initial value of ${path}`);
    // Reads and writes apply the same test; otherwise an acknowledged write could count as damage at the
    // next read.
    const hasOtherKind = (value: unknown) =>
      !upgrade && kindOf(value) !== kindOf(first) && !(schema ? fits(schema, value) : first === null);
    super(options, {
      initial: () => first,
      draft: (value) => value,
      toText: (value) => `${JSON.stringify(value, null, 2)}\n`,
      fromJson: (raw) => {
        if (hasOtherKind(raw)) {
          throw new DamagedContent(`contains ${kindOf(raw)} instead of ${kindOf(first)}`);
        }
        const value = asStored((upgrade ? upgrade(raw) : raw) as T, path);
        checkShape(schema, value, path);
        return value;
      },
    });
    this.#schema = schema;
    this.#hasOtherKind = hasOtherKind;
  }

  /**
   * The value on disk, deeply frozen.
   *
   * @throws StorageError `STORAGE_SHAPE` when the file is sound JSON of another shape (it is left
   *   untouched), `STORAGE_CLOSED`, `STORAGE_CORRUPT`, `STORAGE_IO`.
   */
  get value(): Readonly<T> {
    return this.document.current();
  }

  /**
   * Replaces the value with the result of `change`. Queued calls are applied in order and share one write.
   * Resolves with the new value once it is on disk; returning the same value writes nothing.
   *
   * Rejects with what `change` threw, or with a `StorageError` (`STORAGE_FULL`, `STORAGE_SHAPE`,
   * `STORAGE_CLOSED` …). The value is then unchanged.
   *
   * @param change Synchronous.
   */
  update(change: (value: Readonly<T>) => Readonly<T>): Promise<Readonly<T>> {
    return this.document.change((value) => {
      const changed = change(value);
      if (changed === value) return { state: value, result: value, changed: false };
      const next = asStored(changed, `the new value of ${this.path}`);
      checkShape(this.#schema, next, `the new value of ${this.path}`);
      if (this.#hasOtherKind(next)) {
        const message = `the new value of ${this.path} is ${kindOf(next)}, unlike the initial value: pass a schema that allows it`;
        throw new StorageError("STORAGE_SHAPE", message);
      }
      return { state: next, result: next, changed: true };
    });
  }
}

function kindOf(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "an array";
  return `${typeof value === "object" ? "an" : "a"} ${typeof value}`;
}
