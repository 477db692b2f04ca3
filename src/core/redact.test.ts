import { describe, expect, test } from "bun:test";
import { redact } from "./redact.js";

const clean = (text: string) => redact(text, [], {});

describe("redact", () => {
  test.each([
    ["cannot open /srv/reef/data/db.sqlite", "cannot open [path]"],
    [
      "Cannot find module './x.js' from '/home/ann/reef/services/a/index.ts'",
      "Cannot find module './x.js' from '[path]'",
    ],
    ["ENOENT: open '/etc/reef/my-file.conf'", "ENOENT: open '[path]'"],
    ["at C:\\Users\\ann\\reef\\index.ts", "at [path]"],
    ["see file:///srv/reef/a.ts", "see [path]"],
    ["~/reef/data/x is missing", "[path] is missing"],
    ["../outside/secret.txt is missing", "[path] is missing"],
  ])("hides paths: %s", (text, expected) => {
    expect(clean(text)).toBe(expected);
  });

  test.each([
    ["connect to postgres://ann:hunter2@db:5432/x failed", "hunter2"],
    ["password=hunter2 was refused", "hunter2"],
    ['{"apiKey": "abc"}', "abc"],
    ["DB_SECRET: correct-horse", "correct-horse"],
    ["Authorization: Bearer abc.def", "abc.def"],
    ["wrong password hunter2", "hunter2"],
    ["token 'x y' is not valid", "x y"],
    ["refused sk-proj-a1b2c3d4e5f6g7h8i9j0k1l2", "a1b2c3d4"],
    ["jwt eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.sig", "eyJzdWIi"],
    ["-----BEGIN PRIVATE KEY----- MIIE -----END PRIVATE KEY-----", "MIIE"],
  ])("hides credentials: %s", (text, secret) => {
    expect(clean(text)).not.toContain(secret);
  });

  test("hides the values of telling environment variables and of given secrets wherever they stand", () => {
    expect(redact("got blue-sky here", [], { MY_TOKEN: "blue-sky" })).toBe("got [hidden] here");
    expect(redact("got blue-sky here", ["blue-sky"], {})).toBe("got [hidden] here");
    expect(redact("the home is fine", [], { HOME: "fine" })).toBe("the home is fine");
  });

  /** Each of these was looked at again from every character on; that takes minutes at this length. */
  test.each(["x", "a.", "a-", "token", "token-", "api_key ", "x:", "key ", "/+", "bearer "])(
    "takes time by the length of the text only: %p again and again",
    (piece) => {
      const text = piece.repeat(400_000 / piece.length);
      expect(clean(`${text} password=hunter2`)).toEndWith("password=[hidden]");
    },
  );

  test("looks at a word of any length for the names of secrets, from its beginning to its end", () => {
    expect(clean("my-token-is abc")).toBe("my-token-is [hidden]");
    expect(clean("tokens: a, tokenSecret-x = b, x.api_key=c")).toBe(
      "tokens: [hidden], tokenSecret-x = [hidden], x.api_key=[hidden]",
    );
    expect(clean("size: 3, word: four")).toBe("size: 3, word: four");
  });

  test.each([
    'Missing dependency "feed" of "board".',
    'init() of "a" did not finish within 10000 ms.',
    'routes of "a" takes a Hono app.',
    "index.ts exports nothing by default; the default export must be a ServiceModule object.",
    'name is "health"; it is reserved for the server; choose another.',
    "dependency cycle: a → b → a.",
    "importing index.ts failed: Unexpected } (index.ts:3:4)",
    "GET /board answered 404",
  ])("leaves what people need: %s", (text) => {
    expect(clean(text)).toBe(text);
  });
});
