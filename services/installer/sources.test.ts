import { describe, expect, test } from "bun:test";
import { InstallError } from "./errors.js";
import { resolveTarget } from "./sources/origin.js";
import { folderName, type GitSource, parseSource } from "./sources.js";

function refusal(text: string, apart = {}): string {
  try {
    parseSource(text, apart);
  } catch (error) {
    if (error instanceof InstallError && error.status === 400) return error.message;
    throw error;
  }
  return "accepted";
}

describe("a source that is understood", () => {
  const git: Array<[string, Partial<GitSource>]> = [
    ["ada/greeter", { url: "https://github.com/ada/greeter", transport: "https", folder: "greeter" }],
    ["ada/greeter@v1.2.3", { url: "https://github.com/ada/greeter", ref: "v1.2.3" }],
    ["ada/greeter@feature/new-one", { ref: "feature/new-one", folder: "greeter" }],
    ["ada/greeter//services/hello@main", { subdirectory: "services/hello", ref: "main", folder: "hello" }],
    ["ada/greeter.git", { url: "https://github.com/ada/greeter.git", folder: "greeter" }],
    [
      "git.example.org/ada/greeter@v1",
      { url: "https://git.example.org/ada/greeter", host: "git.example.org" },
    ],
    ["https://example.org/a/b/c.git@v1", { url: "https://example.org/a/b/c.git", folder: "c", ref: "v1" }],
    ["HTTPS://Example.ORG/a/b/", { url: "https://example.org/a/b", host: "example.org" }],
    ["https://example.org:8443/a/b", { url: "https://example.org:8443/a/b", port: "8443" }],
    ["http://127.0.0.1:3000/x.git", { url: "http://127.0.0.1:3000/x.git", transport: "http", port: "3000" }],
    ["http://0x7f.1/x", { url: "http://127.0.0.1/x", host: "127.0.0.1" }],
    [
      "https://[2001:db8::1]:8443/a/b",
      { url: "https://[2001:db8::1]:8443/a/b", host: "2001:db8::1", port: "8443" },
    ],
    ["git@example.org:ada/greeter@v1", { url: "git@example.org:ada/greeter", transport: "ssh", ref: "v1" }],
    ["git@example.org:/srv/x.git", { url: "git@example.org:/srv/x.git", folder: "x" }],
    [
      "ssh://git@example.org:2222/srv/x.git//sub@v1",
      { url: "ssh://git@example.org:2222/srv/x.git", subdirectory: "sub" },
    ],
    ["file:///srv/git/x.git@v1", { url: "file:///srv/git/x.git", transport: "file", ref: "v1" }],
  ];
  test.each(git)("%s", (text, expected) => {
    expect(parseSource(text)).toMatchObject({ type: "git", ...expected });
  });

  test.each([
    ["/srv/my service", "/srv/my service"],
    ["/srv/a@b", "/srv/a@b"],
    ["./x/../y", `${process.cwd()}/y`],
  ])("%s is a folder on this machine", (text, path) => {
    expect(parseSource(text)).toMatchObject({ type: "local", path });
  });

  test("takes ref and subdirectory from beside it, as long as they do not disagree", () => {
    const apart = { ref: "v2", subdirectory: "a/b" };
    expect(parseSource("ada/greeter", apart)).toMatchObject(apart);
    expect(refusal("ada/greeter@v1", apart)).toContain("already names a ref");
    expect(refusal("/srv/x", { ref: "v1" })).toContain("do not apply");
  });

  test("reading what was made of it gives the same again", () => {
    for (const [text] of git) {
      const { ref, subdirectory, ...first } = parseSource(text) as GitSource;
      expect(parseSource(first.url, { ref, subdirectory })).toEqual({ ...first, ref, subdirectory });
    }
  });
});

describe("a source that is refused", () => {
  test.each([
    [""],
    ["-u"],
    ["--upload-pack=touch /tmp/x"],
    ["-oProxyCommand=x/y"],
    ["greeter"],
    ["ada/greeter/sub"],
    ["ada//"],
    ["ada/gree ter"],
    ["ada/greeter\n"],
    ["ada/greeter\0"],
    ["ada/gre\u202eeter"],
    ["ada/gréeter"],
    ["ada/greeter@"],
    ["ada/greeter@-x"],
    ["ada/greeter@--upload-pack=x"],
    ["ada/greeter@a..b"],
    ["ada/greeter@a b"],
    ["ada/greeter@refs/heads/*:refs/x"],
    ["ada/greeter@HEAD^{/x}"],
    ["ada/greeter@x.lock"],
    ["ada/greeter@x@y"],
    ["ada/greeter//../x"],
    ["ada/greeter//a//b"],
    ["ada/greeter//.git"],
    ["ada/greeter//-x"],
    ["ada/../x"],
    ["-ada/greeter"],
    ["ada/-greeter"],
    ["ada/greeter;id"],
    ["ada/$(id)"],
    ["ada/`id`"],
    ["ada/x|y"],
    ["ada/x&y"],
    ["~/x"],
    ["C:\\x"],
    ["ext::sh -c touch% /tmp/x"],
    ["ext::sh"],
    ["fd::17/foo"],
    ["transport::https://example.org/x"],
    ["ftp://example.org/x"],
    ["git://example.org/x"],
    ["javascript://x/y"],
    ["ext://x/y"],
    ["https://"],
    ["https:///x"],
    ["https://example.org"],
    ["https://example.org/"],
    ["https://user@example.org/x"],
    ["https://user:secret@example.org/x"],
    ["https://example.org/x?y=1"],
    ["https://example.org/x#y"],
    ["https://example.org/%2e%2e/x"],
    ["https://exa mple.org/x"],
    ["https://-example.org/x"],
    ["https://example.org:99999/x"],
    ["https://example.org:-1/x"],
    ["https://[::1/x"],
    ["https://example.org/a/../b"],
    ["https://example.org//x/y"],
    ["ssh://-oProxyCommand=x/y"],
    ["ssh://git@-oProxyCommand=x/y"],
    ["ssh://-l@example.org/x"],
    ["ssh://git:secret@example.org/x"],
    ["git@-oProxyCommand=x:y"],
    ["-git@example.org:y"],
    ["git@example.org:-x"],
    ["git@example.org::x"],
    ["git@ex$ample.org:x"],
    ["file://example.org/x"],
    ["file://x"],
    [`ada/${"x".repeat(1000)}`],
  ])("%p", (text) => {
    expect(refusal(text)).not.toBe("accepted");
  });

  test("the message never repeats a password", () => {
    expect(refusal("https://user:hunter2@example.org/x")).not.toContain("hunter2");
    expect(refusal("ssh://git:hunter2@example.org/x")).not.toContain("hunter2");
  });
});

describe("the folder", () => {
  test("is the last name of the source unless another is chosen", () => {
    const source = parseSource("ada/greeter.git//services/hello");
    expect(folderName(source, undefined)).toBe("hello");
    expect(folderName(source, "mine")).toBe("mine");
  });

  const refused = ["../x", "a/b", ".hidden", "", "x".repeat(65), "a\0b", "node_modules", "Node_Modules"];
  test.each(refused)("cannot be %p", (name) => {
    expect(() => folderName(parseSource("ada/greeter"), name)).toThrow("is not a valid folder name");
    const source = { from: "http://other:3000", name: "greeter", dirName: name };
    expect(() => resolveTarget(source)).toThrow("is not a valid folder name");
  });

  test("cannot be where packages are looked for, whatever a repository is called", () => {
    expect(() => resolveTarget({ source: "eve/node_modules" })).toThrow("is not a valid folder name");
    expect(() => resolveTarget({ source: "/srv/node_modules" })).toThrow("is not a valid folder name");
  });
});
