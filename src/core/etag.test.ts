import { expect, test } from "bun:test";
import { withEtag } from "./etag.js";

const ask = (header?: string) =>
  withEtag(
    new Request("http://reef.example/x", {
      headers: header === undefined ? {} : { "if-none-match": header },
    }),
    "the text",
    "v1",
    { "content-type": "text/plain", vary: "accept" },
  );

test.each([undefined, "", "v1", '"v2"', 'W/"v2"', '"v"', '"v2", "v3"'])(
  "who has not got this version gets the body: %p",
  async (header) => {
    const reply = ask(header);
    expect([reply.status, await reply.text()]).toEqual([200, "the text"]);
  },
);

test.each(['"v1"', 'W/"v1"', '"v2", "v1"', '"v2",W/"v1"', "*", " * "])(
  "who has it is told so: %p",
  async (header) => {
    const reply = ask(header);
    expect([reply.status, await reply.text()]).toEqual([304, ""]);
  },
);

test("both replies say which version it is, that it is to be asked for again, and what else was given", () => {
  for (const reply of [ask(), ask("*")]) {
    expect(Object.fromEntries(reply.headers)).toMatchObject({
      etag: '"v1"',
      "cache-control": "no-cache",
      "x-content-type-options": "nosniff",
      vary: "accept",
    });
  }
});
