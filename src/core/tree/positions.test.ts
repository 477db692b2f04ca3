import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { positionBefore } from "./ids.js";
import { Positions } from "./positions.js";

/** Ids that carry no row number, one every ten milliseconds; some rows are missing. */
const rows = [3, 4, 5, 9, 10, 11, 12, 30, 31, 1000].map((seq) => ({ seq, id: positionBefore(seq * 10) }));

function positions(): Positions {
  const db = new Database(":memory:");
  db.run("CREATE TABLE nodes (seq INTEGER PRIMARY KEY, id TEXT NOT NULL)");
  for (const { seq, id } of rows) db.run("INSERT INTO nodes VALUES (?, ?)", [seq, id]);
  return new Positions(db);
}

test("every place is found as by looking through all rows", () => {
  const found = positions();
  for (let time = 0; time < 10_100; time += 5) {
    const id = positionBefore(time);
    const upTo = rows.findLast((row) => row.id <= id);
    const from = rows.find((row) => row.id >= id);
    expect([time, found.of(id), found.lastUpTo(id)]).toEqual([
      time,
      upTo?.id === id ? upTo.seq : undefined,
      upTo?.seq ?? 0,
    ]);
    const before = rows.filter(({ seq }) => seq < found.firstFrom(id));
    expect(before).toEqual(from ? rows.slice(0, rows.indexOf(from)) : rows);
  }
});

test("without rows there is no place", () => {
  const db = new Database(":memory:");
  db.run("CREATE TABLE nodes (seq INTEGER PRIMARY KEY, id TEXT NOT NULL)");
  const none = new Positions(db);
  const id = positionBefore(1);
  expect([none.of(id), none.lastUpTo(id), none.lastUpTo("")]).toEqual([undefined, 0, 0]);
  expect(none.firstFrom(undefined)).toBe(Number.MAX_SAFE_INTEGER);
});
