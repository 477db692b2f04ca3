import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { openStore, type PatternStore, patterns } from "./stores.js";
import { useTempFolder } from "./temp-folder.js";

const { path } = useTempFolder();

/** A generation of a service: a module graph of its own with a store that was opened in it. */
async function generation(pattern: string) {
  const graph = new Bun.ModuleGraph({});
  const { openStore: open } = await graph.import(join(import.meta.dir, "stores.ts"));
  const store = graph.run(() => open(pattern, path("."))) as PatternStore;
  return {
    store,
    add: (id: string) => graph.run(() => store.add(id)) as Promise<unknown>,
    end: () => {
      graph.run(() => store.close());
      graph.dispose();
    },
  };
}

describe.each([...patterns])("%s, while its service is reloaded,", (pattern) => {
  test("keeps what the old generation still writes after the new one has begun", async () => {
    const old = await generation(pattern);
    await old.add("1-old");
    const fresh = await generation(pattern);
    expect(await fresh.store.ids()).toEqual(["1-old"]);
    await old.add("2-old");
    await fresh.add("3-fresh");
    await old.add("4-old");
    expect(await fresh.store.ids()).toEqual(["1-old", "2-old", "3-fresh", "4-old"]);
    old.end();
    await fresh.add("5-fresh");
    fresh.end();
    const after = openStore(pattern, path("."));
    expect(await after.ids()).toEqual(["1-old", "2-old", "3-fresh", "4-old", "5-fresh"]);
    after.close();
  });

  test("has what was queued on disk before the old generation is gone", async () => {
    const old = await generation(pattern);
    const adding = old.add("queued");
    old.end();
    const after = openStore(pattern, path("."));
    expect(await after.ids()).toEqual(["queued"]);
    after.close();
    await adding;
  });
});
