/** Items with ids in one JSON file, held in memory. */
import type { TSchema } from "@sinclair/typebox";
import { StorageError } from "../core/storage-error.js";
import { DamagedContent, type JsonDocumentOptions } from "./json-document.js";
import { JsonStore } from "./json-store.js";
import { asStored, checkShape } from "./json-value.js";

/** Options of a {@link JsonCollection}. */
export interface JsonCollectionOptions extends JsonDocumentOptions {
  /** Checked when an item is read and when it is written. */
  itemSchema?: TSchema;
  /** Migrates an item that an earlier version wrote to today's shape; must return current items unchanged. */
  upgradeItem?: (stored: unknown) => unknown;
}

/**
 * A collection of items with an `id`, in insertion order, in a file of the form `{ "items": [ … ] }`. All items
 * are held in memory and each change rewrites the whole file, so it suits up to a few thousand items.
 *
 * @example
 * const tasks = new JsonCollection<{ id: string; title: string }>({ path: "tasks.json" });
 * await tasks.put({ id: "t1", title: "Water the plants" });
 * tasks.get("t1")?.title; // "Water the plants"
 */
export class JsonCollection<T extends { id: string }> extends JsonStore<Map<string, Readonly<T>>> {
  readonly #schema: TSchema | undefined;

  /** @throws StorageError `STORAGE_PATH`. */
  constructor(options: JsonCollectionOptions) {
    const { path, itemSchema, upgradeItem } = options;
    super(options, {
      initial: () => new Map(),
      draft: (items) => new Map(items),
      toText: (items) =>
        `{ "items": [\n${Array.from(items.values(), (item) => JSON.stringify(item)).join(",\n")}\n] }\n`,
      fromJson: (raw) => {
        const items = new Map<string, Readonly<T>>();
        for (const stored of itemsOf(raw, path)) {
          const item = accepted<T>(
            upgradeItem ? upgradeItem(stored) : stored,
            itemSchema,
            `an item of ${path}`,
          );
          if (items.has(item.id)) throw new StorageError("STORAGE_SHAPE", `${path} has two items ${item.id}`);
          items.set(item.id, item);
        }
        return items;
      },
    });
    this.#schema = itemSchema;
  }

  /** The item with this id. Items are deeply frozen; `put` a changed copy to change one. */
  get(id: string): Readonly<T> | undefined {
    return this.document.current().get(id);
  }

  /** All items, or those that `where` accepts, in the order in which they were first put. */
  list(where?: (item: Readonly<T>) => boolean): Readonly<T>[] {
    const items = Array.from(this.document.current().values());
    return where ? items.filter(where) : items;
  }

  /** How many items there are. */
  get size(): number {
    return this.document.current().size;
  }

  /** Inserts or replaces an item. Resolves with the stored item once it is on disk. */
  async put(item: T): Promise<Readonly<T>> {
    const stored = accepted<T>(item, this.#schema, "the item");
    return this.document.change((draft) => ({
      state: draft.set(stored.id, stored),
      result: stored,
      changed: true,
    }));
  }

  /**
   * Replaces an item with the result of `change`. Concurrent updates of one item are applied in order, so none
   * is lost. Resolves with the stored item once it is on disk, or with `undefined` when no item has this id.
   *
   * @param change Synchronous; must not change the id.
   */
  update(id: string, change: (item: Readonly<T>) => T): Promise<Readonly<T> | undefined> {
    return this.document.change((draft) => {
      const item = draft.get(id);
      if (!item) return { state: draft, result: undefined, changed: false };
      const stored = accepted<T>(change(item), this.#schema, "the item");
      if (stored.id !== id)
        throw new StorageError("STORAGE_SHAPE", `an update of ${id} may not change its id`);
      return { state: draft.set(id, stored), result: stored, changed: true };
    });
  }

  /** Deletes an item. Resolves with whether it existed, once the deletion is on disk. */
  delete(id: string): Promise<boolean> {
    return this.document.change((draft) => {
      const existed = draft.delete(id);
      return { state: draft, result: existed, changed: existed };
    });
  }
}

function accepted<T extends { id: string }>(
  value: unknown,
  schema: TSchema | undefined,
  what: string,
): Readonly<T> {
  const item = asStored(value as T, what);
  if (typeof item !== "object" || item === null || typeof item.id !== "string" || item.id === "") {
    throw new StorageError("STORAGE_SHAPE", `${what} has no id: it must be a non-empty string`);
  }
  checkShape(schema, item, `${what} with the id ${item.id}`);
  return item;
}

function itemsOf(raw: unknown, path: string): unknown[] {
  if (typeof raw !== "object" || raw === null || !("items" in raw) || !Array.isArray(raw.items)) {
    throw new DamagedContent('does not contain { "items": [ … ] }');
  }
  const other = Object.keys(raw).find((key) => key !== "items");
  if (other === undefined) return raw.items;
  throw new StorageError("STORAGE_SHAPE", `${path} also contains "${other}", which a collection would lose`);
}
