import { describe, expect, test } from "bun:test";
import { LOAD_FAILURES, LoadFailure, type LoadFailureCode } from "../load-failure.js";
import { LogBook } from "../log.js";
import { FailureBook } from "./failures.js";

const make = () => {
  const lines: string[] = [];
  const logs = new LogBook(({ text }) => lines.push(text));
  return { book: new FailureBook(logs.logger("reef")), lines };
};
const failure = (message: string) => new LoadFailure("INIT_FAILED", "init", message);

describe("FailureBook", () => {
  test("logs nothing once it is silenced, and keeps what it is told", () => {
    const { book, lines } = make();
    book.silence();
    book.note("board", "/s/board", failure("first"));
    expect(lines).toEqual([]);
    expect(book.get("/s/board")?.error).toBe("first");
  });

  test("keeps the latest failure of each folder, with a line in the log that says what to do", () => {
    const { book, lines } = make();
    book.note("board", "/s/board", failure("first"));
    expect(book.get("/s/board")).toEqual({
      name: "board",
      dir: "/s/board",
      step: "init",
      code: "INIT_FAILED",
      error: "first",
      at: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
    expect(lines).toEqual([`/s/board: skipped: first [INIT_FAILED] ${LOAD_FAILURES.INIT_FAILED}`]);
    book.note("board", "/s/board", failure("second"));
    book.note("feed", "/s/feed", failure("third"));
    expect(book.list().map(({ name, error }) => [name, error])).toEqual([
      ["board", "second"],
      ["feed", "third"],
    ]);
    expect(lines).toHaveLength(3);
  });

  test("a message of any length is cut where it is made, and says so in the log as well", () => {
    const { book, lines } = make();
    book.note("board", "/s/board", failure("x".repeat(300_000)));
    const error = book.get("/s/board")?.error ?? "";
    expect(error).toHaveLength(4096);
    expect(error).toEndWith("x… (300000 characters)");
    expect(lines).toEqual([`/s/board: skipped: ${error} [INIT_FAILED] ${LOAD_FAILURES.INIT_FAILED}`]);
  });

  test("does not repeat in the log what has not changed", () => {
    const { book, lines } = make();
    for (let n = 0; n < 5; n++) book.note("board", "/s/board", failure("same"));
    expect(lines).toHaveLength(1);
  });

  test("forgets a folder that works again, or is gone", () => {
    const { book } = make();
    for (const name of ["a", "b", "c"]) book.note(name, `/s/${name}`, failure("x"));
    book.clear("/s/a");
    book.keepOnly(["/s/c", "/s/new"]);
    expect(book.list().map(({ name }) => name)).toEqual(["c"]);
  });
});

test.each(Object.entries(LOAD_FAILURES))("%s says what to do in a sentence", (code, help) => {
  expect(code as LoadFailureCode).toMatch(/^[A-Z][A-Z_]+$/);
  expect(help).toMatch(/^[A-Z`][^\n]+\.$/);
});
