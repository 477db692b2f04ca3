import { describe, expect, test } from "bun:test";
import { EventTree, insert, matches } from "./event-tree.js";
import type { FeedEvent } from "./state/live.js";

const event = (id: string, parentId: string | null = null, more: Partial<FeedEvent> = {}): FeedEvent => ({
  id,
  parentId,
  type: "note",
  source: "me",
  content: id,
  time: "2026-01-01T00:00:00Z",
  ...more,
});

/** Rows as `depth:id`. */
const shape = (tree: EventTree, collapsed: string[] = []) =>
  tree.rows(new Set(collapsed)).map(({ depth, event: { id } }) => `${depth}:${id}`);

describe("a tree of events", () => {
  test("shows the latest thread first and answers in the order of time, in whatever order they came", () => {
    const events = [
      event("a"),
      event("b", "a"),
      event("c"),
      event("d", "b"),
      event("e", "a"),
      event("f", "c"),
    ];
    const expected = ["0:c", "1:f", "0:a", "1:b", "2:d", "1:e"];
    const orders = [
      events,
      events.toReversed(),
      [3, 0, 5, 1, 4, 2].map((index) => events[index] as FeedEvent),
    ];
    for (const order of orders) {
      const tree = new EventTree();
      for (const one of order) tree.add([one]);
      expect(shape(tree)).toEqual(expected);
    }
  });

  test("counts each event once", () => {
    const tree = new EventTree();
    expect(tree.add([event("a"), event("b", "a"), event("a")])).toBe(2);
    expect(tree.add([event("b", "a")])).toBe(0);
    expect(shape(tree)).toEqual(["0:a", "1:b"]);
    expect(tree.size).toBe(2);
  });

  test("hides what is below a closed event and knows how much that is", () => {
    const tree = new EventTree();
    tree.add([event("a"), event("b", "a"), event("c", "b"), event("d", "a")]);
    expect(shape(tree, ["a"])).toEqual(["0:a"]);
    expect(shape(tree, ["b"])).toEqual(["0:a", "1:b", "1:d"]);
    expect(tree.rows(new Set(["a"]))[0]).toMatchObject({
      children: 2,
      collapsed: true,
      position: 1,
      siblings: 1,
    });
    expect(tree.rows(new Set()).map(({ position, siblings }) => `${position}/${siblings}`)).toEqual([
      "1/1",
      "1/2",
      "1/1",
      "2/2",
    ]);
  });

  test("shows an answer to something unknown as a beginning, until that comes", () => {
    const tree = new EventTree();
    tree.add([event("b", "a")]);
    expect(shape(tree)).toEqual(["0:b"]);
    tree.add([event("a")]);
    expect(shape(tree)).toEqual(["0:a", "1:b"]);
    expect(tree.ancestors("b")).toEqual(["a"]);
  });

  test("lets the oldest threads go when it is full, whole", () => {
    const tree = new EventTree(3);
    tree.add([event("a"), event("b", "a"), event("c"), event("d")]);
    expect(shape(tree)).toEqual(["0:d", "0:c"]);
    expect(tree.get("b")).toBeUndefined();
  });

  test("does not count answers that it let go when what they answer comes late", () => {
    const tree = new EventTree(3);
    tree.add([event("b", "a"), event("c", "b"), event("d"), event("e")]);
    expect(shape(tree)).toEqual(["0:e", "0:d"]);
    tree.add([event("a")]);
    expect(tree.rows(new Set()).map(({ event: { id }, children }) => `${id}:${children}`)).toEqual([
      "e:0",
      "d:0",
      "a:0",
    ]);
    const other = new EventTree(4);
    other.add([event("b", "a"), event("c", "a"), event("d", "b"), event("e"), event("f")]);
    other.add([event("a")]);
    expect(shape(other)).toEqual(["0:f", "0:e", "0:a", "1:c"]);
  });

  test("survives threads of any depth", () => {
    const tree = new EventTree();
    const id = (index: number) => String(index).padStart(6, "0");
    tree.add(
      Array.from({ length: 15_000 }, (_, index) => event(id(index), index === 0 ? null : id(index - 1))),
    );
    expect(tree.rows(new Set()).at(-1)?.depth).toBe(14_999);
  });
});

test("inserting keeps a list ascending and free of repetition", () => {
  const list: string[] = [];
  for (const id of ["b", "d", "a", "c", "b", "d", "e"]) insert(list, id);
  expect(list).toEqual(["a", "b", "c", "d", "e"]);
});

test.each([
  [{ q: "", type: "", source: "" }, true],
  [{ q: "PAINT shed", type: "", source: "" }, true],
  [{ q: "pai", type: "", source: "" }, false],
  [{ q: "pai*", type: "", source: "" }, true],
  [{ q: "paint door", type: "", source: "" }, false],
  [{ q: "", type: "note", source: "" }, true],
  [{ q: "", type: "other", source: "" }, false],
  [{ q: "shed", type: "note", source: "you" }, false],
])("%j lets it through: %p", (filter, expected) => {
  expect(matches(filter, event("a", null, { content: "Paint the shed!" }))).toBe(expected);
});

test.each([
  ["cafe", true],
  ["CAFÉ", true],
  ["caf\u0065\u0301", true],
  ["blue", true],
  ["harbour blue", true],
  ["note", false],
  ["deeper", false],
  ["7", false],
  ["!", false],
])(
  "the search %j finds what the server would, in the text and in the fields that are texts: %p",
  (q, expected) => {
    const more = { colour: "Blue", count: 7, deep: { text: "deeper" } };
    const found = matches(
      { q, type: "", source: "" },
      event("a", null, { content: "Café at the harbour", ...more }),
    );
    expect(found).toBe(expected);
  },
);
