import { describe, expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { Type } from "@sinclair/typebox";
import { useTempFolder } from "../../tests/storage/temp-folder.js";
import { JsonCollection, type StorageReport } from "./index.js";

const { path, names, reports, onReport } = useTempFolder();

interface Task {
  id: string;
  title: string;
  votes?: number;
}
const collection = (extra: object = {}) =>
  new JsonCollection<Task>({ path: path("t.json"), onReport, ...extra });
const onDisk = () => JSON.parse(readFileSync(path("t.json"), "utf8"));

test("formats of its schema are checked, and one that nobody knows is named", async () => {
  const withFormat = (format: string) =>
    collection({ itemSchema: Type.Object({ id: Type.String(), title: Type.String({ format }) }) });
  const dated = withFormat("date-time");
  expect(await dated.put({ id: "a", title: "2024-01-01T00:00:00Z" })).toMatchObject({ id: "a" });
  await expect(dated.put({ id: "b", title: "soon" })).rejects.toThrow("does not match its schema at /title");
  await expect(withFormat("odd").put({ id: "a", title: "x" })).rejects.toThrow('unknown schema format "odd"');
  expect(onDisk().items).toHaveLength(1);
});

describe("a collection", () => {
  test("stores, replaces, lists in order and removes", async () => {
    const tasks = collection();
    await Promise.all([
      tasks.put({ id: "b", title: "first" }),
      tasks.put({ id: "a", title: "second" }),
      tasks.put({ id: "b", title: "changed" }),
    ]);
    expect(tasks.get("b")).toEqual({ id: "b", title: "changed" });
    expect(tasks.list().map((task) => task.id)).toEqual(["b", "a"]);
    expect(tasks.list((task) => task.title === "second").map((task) => task.id)).toEqual(["a"]);
    expect(await tasks.delete("b")).toBe(true);
    expect(await tasks.delete("b")).toBe(false);
    expect(tasks.size).toBe(1);
    expect(onDisk()).toEqual({ items: [{ id: "a", title: "second" }] });
    expect(collection().list()).toEqual([{ id: "a", title: "second" }]);
  });

  test("takes the item as it was when put was called", async () => {
    const tasks = collection();
    const task = { id: "a", title: "then" };
    const put = tasks.put(task);
    task.title = "now";
    expect(await put).toEqual({ id: "a", title: "then" });
    expect(onDisk().items[0].title).toBe("then");
  });

  test("loses no update of an item among many at once", async () => {
    const tasks = collection();
    await tasks.put({ id: "a", title: "count me", votes: 0 });
    const vote = (task: Readonly<Task>) => ({ ...task, votes: (task.votes ?? 0) + 1 });
    await Promise.all(Array.from({ length: 20 }, () => tasks.update("a", vote)));
    expect(onDisk().items[0].votes).toBe(20);
    expect(await tasks.update("none", vote)).toBeUndefined();
    await expect(tasks.update("a", (task) => ({ ...task, id: "z" }))).rejects.toThrow(
      "may not change its id",
    );
  });

  test("keeps the others when one change is refused", async () => {
    const tasks = collection({ itemSchema: Type.Object({ id: Type.String(), title: Type.String() }) });
    const results = await Promise.allSettled([
      tasks.put({ id: "a", title: "good" }),
      tasks.put({ id: "b" } as Task),
      tasks.put({ title: "no id" } as Task),
      tasks.put({ id: "", title: "empty id" }),
      tasks.put({ id: "c", title: "good" }),
    ]);
    expect(results.map((result) => result.status)).toEqual([
      "fulfilled",
      "rejected",
      "rejected",
      "rejected",
      "fulfilled",
    ]);
    expect(onDisk().items.map((task: Task) => task.id)).toEqual(["a", "c"]);
  });

  test("says what an id is where it is a number", async () => {
    const refused = collection().put({ id: 5, title: "five" } as never);
    await expect(refused).rejects.toThrow("the item has no id: it must be a non-empty string");
  });

  test("refuses promises, put or made by an update", async () => {
    const tasks = collection();
    await tasks.put({ id: "a", title: "A" });
    const promise = async () => ({ id: "a", title: "B" });
    await expect(tasks.put(promise() as never)).rejects.toThrow("the item is a promise");
    await expect(tasks.update("a", promise as never)).rejects.toThrow(TypeError);
    expect(tasks.list()).toEqual([{ id: "a", title: "A" }]);
  });

  test("shows no change that could not be written", async () => {
    const tasks = collection();
    await tasks.put({ id: "a", title: "kept" });
    mkdirSync(path("t.json.tmp"));
    const results = await Promise.allSettled([tasks.put({ id: "b", title: "lost" }), tasks.delete("a")]);
    expect(results.map((result) => result.status)).toEqual(["rejected", "rejected"]);
    expect(tasks.list()).toEqual([{ id: "a", title: "kept" }]);
  });

  test("holds ids that are special to objects", async () => {
    await collection().put({ id: "__proto__", title: "x" });
    expect(collection().get("__proto__")).toEqual({ id: "__proto__", title: "x" });
    expect(collection().get("constructor")).toBeUndefined();
  });

  test("is empty without a file and writes none when nothing changes", async () => {
    const tasks = collection();
    expect(tasks.list()).toEqual([]);
    await tasks.delete("a");
    tasks.close();
    expect(names()).toEqual([]);
  });
});

describe("a file that is not a collection", () => {
  test.each(["", '{ "items": [{ "id": "a", "tit', "garbage", "[]", '{ "items": {} }'])(
    "but %j is set aside and reported",
    async (content) => {
      writeFileSync(path("t.json"), content);
      const tasks = collection();
      await tasks.put({ id: "new", title: "n" });
      const [report] = reports as [StorageReport];
      expect(report.kind).toBe("corrupt");
      expect(readFileSync(report.setAside as string, "utf8")).toBe(content);
      expect(onDisk().items).toHaveLength(1);
    },
  );

  test.each([
    ["an item without id", { items: [{ title: "x" }] }],
    ["two items with one id", { items: [{ id: "a" }, { id: "a" }] }],
    ["more than items", { version: 3, items: [] }],
  ])("because it holds %s is refused and left untouched", async (_, content) => {
    writeFileSync(path("t.json"), JSON.stringify(content));
    await expect(collection().put({ id: "b", title: "b" })).rejects.toMatchObject({ code: "STORAGE_SHAPE" });
    expect(onDisk()).toEqual(content);
    expect(reports).toEqual([]);
  });

  test("any more can be upgraded item by item", () => {
    writeFileSync(path("t.json"), JSON.stringify({ items: [{ id: "a", name: "old" }] }));
    const upgradeItem = (stored: unknown) => {
      const { id, name } = stored as { id: string; name: string };
      return { id, title: name };
    };
    expect(collection({ upgradeItem }).list()).toEqual([{ id: "a", title: "old" }]);
  });
});

test("after close nothing is accepted", async () => {
  const tasks = collection();
  const put = tasks.put({ id: "a", title: "last" });
  tasks.close();
  tasks.close();
  await put;
  await expect(tasks.put({ id: "b", title: "late" })).rejects.toMatchObject({ code: "STORAGE_CLOSED" });
  expect(() => tasks.get("a")).toThrow("it is closed");
  expect(onDisk().items).toHaveLength(1);
});
