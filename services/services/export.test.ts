import { afterAll, beforeAll, expect, spyOn, test } from "bun:test";
import fs, {
  chmodSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { extract, list } from "tar";
import { exportedFiles, exportTarball, listed } from "./export.js";

let root: string;
let dir: string;

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "reef-export-"));
  dir = join(root, "shop");
  const files = [
    "index.ts",
    "lib/deep/store.ts",
    "run.sh",
    "@scope.ts",
    "-rf.ts",
    "with space é.txt",
    "data/items.json",
    "node_modules/left/index.js",
    "lib/node_modules/left/index.js",
    ".env",
    ".env.local",
    ".git/config",
    "prod.env",
    "server.pem",
    "server.key",
    "auth-token",
    "secrets.json",
    "secrets.ts",
    "credentials",
    "lib/secret.tsx",
    "zone/Auth-Token.mjs",
    "zone/credentials.js",
    "id_ed25519",
    "items.sqlite",
    "items.sqlite-wal",
    "items.db",
    "debug.log",
  ];
  for (const file of files) {
    mkdirSync(dirname(join(dir, file)), { recursive: true });
    writeFileSync(join(dir, file), `content of ${file}`);
  }
  chmodSync(join(dir, "run.sh"), 0o755);
  writeFileSync(join(root, "outside.txt"), "secret");
  symlinkSync(join(root, "outside.txt"), join(dir, "leak.txt"));
  symlinkSync("server.key", join(dir, "renamed-key.txt"));
  symlinkSync("nowhere", join(dir, "dangling.txt"));
  symlinkSync("index.ts", join(dir, "alias.ts"));
  // Folders behind links go through the same filter.
  mkdirSync(join(root, "outside/deep"), { recursive: true });
  writeFileSync(join(root, "outside/deep/leak.ts"), "secret");
  for (const file of ["lib/.env", "lib/key.pem"]) writeFileSync(join(dir, file), "secret");
  symlinkSync("../server.key", join(dir, "lib/deep/renamed-key.txt"));
  symlinkSync(".env", join(dir, "renamed-env.txt"));
  symlinkSync("lib", join(dir, "alias"));
  symlinkSync("../outside", join(dir, "far"));
  symlinkSync("deep", join(root, "outside/again"));
  symlinkSync(".", join(dir, "lib/me"));
  symlinkSync("..", join(dir, "lib/up"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

const CODE = [
  "-rf.ts",
  "@scope.ts",
  "alias.ts",
  "alias/deep/store.ts",
  "alias/secret.tsx",
  "index.ts",
  "lib/deep/store.ts",
  "lib/secret.tsx",
  "run.sh",
  "secrets.ts",
  "with space é.txt",
  "zone/Auth-Token.mjs",
  "zone/credentials.js",
];

test("only code leaves: no data, secrets, packages, dot-files, or links that lead out", () => {
  expect(exportedFiles(dir).files).toEqual(CODE);
});

test("what stays though the code may use it is named, in a form that a header can carry", () => {
  const { withheld } = exportedFiles(dir);
  expect(withheld).toEqual([
    "alias/key.pem",
    "auth-token",
    "credentials",
    "debug.log",
    "far/again/leak.ts",
    "far/deep/leak.ts",
    "id_ed25519",
    "items.db",
    "items.sqlite",
    "items.sqlite-wal",
    "leak.txt",
    "lib/key.pem",
    "prod.env",
    "renamed-key.txt",
    "secrets.json",
    "server.key",
    "server.pem",
  ]);
  expect(listed([])).toBe("");
  expect(listed(["a/b c.key", "é,\n.pem", "\ud800.pem"])).toBe(
    "a/b%20c.key, %C3%A9%2C%0A.pem, %EF%BF%BD.pem",
  );
  expect(listed(Array.from({ length: 23 }, (_, n) => `${n}.key`))).toEndWith(", 19.key, and 3 more");
});

test("the tarball's members are below the name, with content and modes", async () => {
  const target = join(root, "extracted");
  mkdirSync(target);
  writeFileSync(join(root, "shop.tar.gz"), (await exportTarball("shop", dir)).tarball);
  await extract({ file: join(root, "shop.tar.gz"), cwd: target });
  expect(readdirSync(target)).toEqual(["shop"]);
  const found = readdirSync(join(target, "shop"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(target, "shop").length + 1));
  expect(found.sort()).toEqual(CODE);
  for (const file of CODE) {
    const original = file === "alias.ts" ? "index.ts" : file.replace("alias/", "lib/");
    expect(readFileSync(join(target, "shop", file), "utf8")).toBe(`content of ${original}`);
  }
  expect(statSync(join(target, "shop", "run.sh")).mode & 0o777).toBe(0o755);
});

test("a file with two names leaves as a file under each: hard links cannot be installed", async () => {
  const linked = join(root, "linked");
  mkdirSync(linked);
  writeFileSync(join(linked, "index.ts"), "content");
  linkSync(join(linked, "index.ts"), join(linked, "copy.ts"));
  const file = join(root, "linked.tar.gz");
  writeFileSync(file, (await exportTarball("linked", linked)).tarball);
  const members: unknown[] = [];
  await list({ file, onReadEntry: ({ path, type, size }) => members.push([path, type, size]) });
  expect(members).toEqual([
    ["linked/copy.ts", "File", 7],
    ["linked/index.ts", "File", 7],
  ]);
});

test("a file that cannot be read keeps the rest from leaving without it, and is named", async () => {
  const denied = Object.assign(new Error("EACCES: permission denied, open 'lib/deep/store.ts'"), {
    code: "EACCES",
  });
  type Opened = (error: Error | null, fd: number) => void;
  const { open } = fs;
  const failed = Promise.withResolvers<void>();
  const deny = (path: string, flags: string, done: Opened) => {
    if (path.endsWith("deep/store.ts")) return done(denied, -1);
    if (!path.endsWith("-rf.ts")) return open(path, flags, done);
    // Nobody waits any more when the second one fails.
    failed.promise.then(() => done(denied, -1));
  };
  const spy = spyOn(fs, "open").mockImplementation(deny as typeof open);
  try {
    await expect(exportTarball("shop", dir)).rejects.toMatchObject({
      code: "UNREADABLE",
      message: expect.stringContaining("lib/deep/store.ts"),
    });
    failed.resolve();
    await Bun.sleep(0);
  } finally {
    spy.mockRestore();
  }
});
