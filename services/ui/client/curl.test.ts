import { expect, test } from "bun:test";
import { curlOf, quote } from "./curl.js";

test.each([
  ["plain", "plain"],
  ["http://localhost:3000/board", "http://localhost:3000/board"],
  ["two words", "'two words'"],
  ["http://localhost/x?a=1&b=2", "'http://localhost/x?a=1&b=2'"],
  ["it's", `'it'\\''s'`],
  ["$(reboot)", "'$(reboot)'"],
  ["", "''"],
])("%j is %s for a shell", (word, quoted) => {
  expect(quote(word)).toBe(quoted);
});

test("a shell reads back what was quoted, whatever it was", () => {
  for (const word of ["it's", "`x`", "a\nb", '"', "$HOME", "\\", "!", "''", "é ü", "-n", "*"]) {
    const { stdout } = Bun.spawnSync(["sh", "-c", `printf %s ${quote(word)}`]);
    expect(stdout.toString()).toBe(word);
  }
});

test("the token comes from the environment and is never part of the line", () => {
  expect(curlOf("http://h", "POST", "/services/deploy", { name: "x" })).toBe(
    `curl -X POST http://h/services/deploy -H "Authorization: Bearer $VERS_AUTH_TOKEN" -H 'Content-Type: application/json' -d '{"name":"x"}'`,
  );
  expect(curlOf("http://h", "GET", "/x")).toBe(`curl http://h/x -H "Authorization: Bearer $VERS_AUTH_TOKEN"`);
});

test("what is a file is saved", () => {
  expect(curlOf("http://h", "GET", "/x", undefined, "my file.tar.gz")).toBe(
    `curl http://h/x -H "Authorization: Bearer $VERS_AUTH_TOKEN" -o 'my file.tar.gz'`,
  );
});
