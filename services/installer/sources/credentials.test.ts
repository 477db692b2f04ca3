import { afterAll, beforeAll, expect, test } from "bun:test";
import { type Instance, startInstance } from "../testing/instance.js";
import { withoutCredentials } from "./credentials.js";

let reef: Instance;
beforeAll(async () => {
  reef = await startInstance();
});
afterAll(() => reef.close());

const SECRET = "s3cretpw";

/** What people paste, with a password or token where it does not belong. */
const pasted = [
  `https://${SECRET}@github.com/x/y`,
  `https://${SECRET}@github.com/x/y@v1`,
  `https://${SECRET}:x-oauth-basic@github.com/x/y`,
  `https://ada:${SECRET}@example.org/x`,
  `https://ada:${SECRET}#1@example.org/x`,
  `https://ada:${SECRET}/1@example.org/x`,
  `https://ada:1/${SECRET}@2@example.org/x`,
  `https://ada:1@${SECRET}@example.org/x`,
  `https:/ada:${SECRET}@example.org/x`,
  `https:ada:${SECRET}@example.org/x`,
  `https:///ada:${SECRET}@example.org/x`,
  `https:\\\\ada:${SECRET}@example.org/x`,
  `HTTP://ada:${SECRET}@example.org/x`,
  `https://https://ada:${SECRET}@example.org/x`,
  `https://example.org/ada:${SECRET}@example.org/x`,
  `https://example.org/x?token=${SECRET}`,
  `https://example.org/x?token=${SECRET}@v1`,
  `https://example.org/x#${SECRET}`,
  `git://ada:${SECRET}@example.org/x`,
  `ssh://git:${SECRET}@example.org/x`,
  `ada:${SECRET}@example.org`,
  `ada:${SECRET}@example.org/x/y`,
  `${SECRET}@github.com/x/y`,
  `${SECRET}:x-oauth-basic@github.com/x/y`,
  `git@example.org:ada:${SECRET}@x`,
  ` https://ada:${SECRET}@example.org/x`,
];

test.each(pasted)("%s is shown without its secret", (text) => {
  const shown = withoutCredentials(text);
  expect(shown).not.toContain(SECRET);
  expect(shown).toContain("…");
});

test.each(pasted)("no reply to %s has its secret", async (text) => {
  for (const body of [{ source: text }, { from: text, name: "x" }]) {
    const { status, data } = await reef.install(body);
    expect([status, JSON.stringify(data)]).toEqual([400, expect.not.stringContaining(SECRET)]);
  }
  const { status, data } = await reef.post("/installer/update", { name: text });
  expect([status, JSON.stringify(data)]).toEqual([404, expect.not.stringContaining(SECRET)]);
});

test.each(["\n", " "])("a token with %j after it is refused and not shown", async (stray) => {
  const token = `${SECRET}${stray}`;
  for (const path of ["/installer/install", "/installer/update"]) {
    const { status, data } = await reef.post(path, { source: "ada/greeter", name: "greeter", token });
    expect([status, data.error]).toEqual([400, expect.stringContaining("token must be a string")]);
    expect(JSON.stringify(data)).not.toContain(SECRET);
  }
});

test.each([
  ["git@example.org:ada/greeter"],
  ["git@example.org:ada/greeter@v1"],
  ["git@example.org:22"],
  ["ada/greeter@v1"],
  ["ada/greeter//services/hello@feature/new-one"],
  ["git.example.org/ada/greeter@v1"],
  ["https://example.org:8443/a/b.git@v1"],
  ["https://[2001:db8::1]:8443/a/b@v1"],
  ["ssh://git@example.org:2222/srv/x.git//sub@v1"],
  ["file:///srv/git/x.git@v1"],
  ["/srv/a@b"],
  ["http://other:3000"],
  ["greeter"],
  ["C:\\x"],
  [""],
])("%p stays readable", (text) => {
  expect(withoutCredentials(text)).toBe(text);
});
