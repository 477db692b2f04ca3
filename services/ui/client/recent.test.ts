import { describe, expect, test } from "bun:test";
import { Recent } from "./recent.js";

const event = (id: string, data = `data of ${id}`) => ({ id, event: "", data });
const idsAfter = (recent: Recent, id: string) => recent.after(id)?.map((missed) => missed.id);

describe("what a tab has seen", () => {
  test("is told to those who have seen less, and taken once", () => {
    const recent = new Recent();
    expect(
      [event("1", ""), event("2"), event("3"), event("2"), event("3")].map((each) => recent.add(each)),
    ).toEqual([true, true, true, false, false]);
    expect(recent.last).toBe("3");
    expect(["", "1", "2", "3", "4"].map((id) => idsAfter(recent, id))).toEqual([
      [],
      ["2", "3"],
      ["3"],
      [],
      [],
    ]);
    // What was before it came is not known.
    expect(recent.after("0")).toBeUndefined();
  });

  test("is known from the first event on where the stream does not say where it begins", () => {
    const recent = new Recent();
    recent.add(event("5"));
    expect([recent.after("4"), idsAfter(recent, "5")]).toEqual([undefined, []]);
  });

  test("begins anew when events were missed that cannot be had, also with an earlier one", () => {
    const recent = new Recent();
    recent.add(event("8"));
    expect(recent.add({ id: "6", event: "reset", data: "{}" })).toBe(true);
    expect(recent.last).toBe("6");
    expect([recent.add(event("7")), recent.after("5")]).toEqual([true, undefined]);
    expect(idsAfter(recent, "6")).toEqual(["7"]);
  });

  test("is forgotten where it grows too long", () => {
    const recent = new Recent(20);
    recent.add(event("1", ""));
    for (const id of ["2", "3", "4"]) recent.add(event(id, "x".repeat(10)));
    expect([recent.after("1"), idsAfter(recent, "2")]).toEqual([undefined, ["3", "4"]]);
    recent.add(event("5", "x".repeat(30)));
    expect([recent.after("4"), idsAfter(recent, "5"), recent.last]).toEqual([undefined, [], "5"]);
  });

  test("says nothing of messages that have no place", () => {
    const recent = new Recent();
    expect(recent.add({ id: undefined, event: "reef", data: "{}" })).toBe(true);
    expect(recent.last).toBe("");
  });
});
