import { afterAll, describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { InstallError } from "../errors.js";
import { LIMITS } from "../limits.js";
import { snapshot } from "../testing/instance.js";
import { type Member, member, tarball } from "../testing/tarball.js";
import { unpack } from "./archive.js";

const ground = mkdtempSync(join(tmpdir(), "reef-archives-"));
afterAll(() => rmSync(ground, { recursive: true, force: true }));

const signal = new AbortController().signal;
const small = { ...LIMITS, entries: 20, fileBytes: 5000, totalBytes: 12_000, compressedBytes: 8000 };

async function* inPieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

let count = 0;

/** Unpacks into a folder with watched surroundings; returns what became of it. */
async function attempt(archive: Uint8Array, pieces = 700) {
  const surroundings = join(ground, `${count++}`);
  const root = join(surroundings, "staging", "package");
  mkdirSync(root, { recursive: true });
  const options = { signal, gzip: true, oneFolder: true, limits: small };
  const outcome = await unpack(inPieces(archive, pieces), root, options).then(
    () => undefined,
    (error: unknown) => error,
  );
  const outside = snapshot(surroundings).filter((line) => !line.startsWith("staging/package/"));
  return { root, outcome, outside };
}

const INSIDE_ONLY = ["staging/ 755", "staging/package/ 755"].filter(
  (line) => !line.startsWith("staging/package/"),
);

const file = (name: string, content = "x", more: Partial<Member> = {}) => member({ name, content, ...more });
const link = (name: string, linkname: string) => member({ name, type: "2", linkname });
const ok = file("pkg/index.ts", "export default {};");
const packed = (...members: Uint8Array[]) => gzipSync(tarball(...members));
const long = (length: number) => "n".repeat(length);
const pax = (values: Record<string, string>, type: "x" | "g" = "x") => {
  const records = Object.entries(values).map(([key, value]) => {
    const body = ` ${key}=${value}\n`;
    let length = Buffer.byteLength(body);
    length += String(length + String(length).length).length;
    return `${length}${body}`;
  });
  return member({ name: "PaxHeader", type, content: records.join("") });
};
const swollen = (bytes: number) => gzipSync(Buffer.alloc(bytes));
const plain = tarball(ok, file("pkg/other.ts", "y".repeat(600)));

describe("a hostile archive is refused and leaves nothing outside its folder:", () => {
  const hostile: Array<[string, Uint8Array]> = [
    ["parent folder", packed(ok, file("pkg/../../escaped"))],
    ["parent folder at the start", packed(ok, file("../escaped"))],
    ["parent folder at the end", packed(ok, file("pkg/.."))],
    ["parent folder as a folder", packed(ok, member({ name: "pkg/../../escaped/", type: "5" }))],
    ["parent folder in the middle", packed(ok, file("pkg/a/../b"))],
    ["only a parent folder", packed(ok, file(".."))],
    ["many parent folders", packed(ok, file(`pkg/${"../".repeat(20)}tmp/escaped`))],
    ["parent folder with backslashes", packed(ok, file("pkg\\..\\..\\escaped"))],
    ["parent folder below with backslashes", packed(ok, file("pkg/a\\..\\..\\escaped"))],
    ["parent folder after a long name", packed(ok, file(`pkg/${long(80)}/../../../escaped`))],
    [
      "parent folder in a GNU long name",
      packed(ok, member({ name: "x", type: "L", content: "pkg/../../escaped\0" }), file("x")),
    ],
    ["parent folder in a pax path", packed(ok, pax({ path: "pkg/../../escaped" }), file("pkg/x"))],
    ["parent folder in a ustar prefix", packed(ok, file("escaped", "x", { prefix: "pkg/../.." }))],
    ["absolute path", packed(ok, file("/tmp/escaped"))],
    ["absolute path inside", packed(ok, file("pkg//tmp/escaped"))],
    ["absolute pax path", packed(ok, pax({ path: "/tmp/escaped" }), file("pkg/x"))],
    ["absolute path after dots", packed(ok, file(".//tmp/escaped"))],
    ["drive letter", packed(ok, file("C:/escaped"))],
    ["drive letter inside", packed(ok, file("pkg/C:\\escaped"))],
    ["network share", packed(ok, file("\\\\host\\share"))],
    ["line break in a name", packed(ok, file("pkg/a\nb"))],
    ["escape sequence in a name", packed(ok, file("pkg/\u001b[2J"))],
    ["right-to-left override", packed(ok, file("pkg/a\u202ets.exe"))],
    ["invisible character", packed(ok, file("pkg/a\u200bb"))],
    ["name that is not UTF-8", packed(ok, file("pkg/\xff\xfe", "x", { latin1: true }))],
    ["empty name", packed(ok, file("pkg/a//b"))],
    ["dot name", packed(ok, file("pkg/./b"))],
    ["name too long", packed(ok, pax({ path: `pkg/${long(250)}` }), file("pkg/x"))],
    ["path too long", packed(ok, pax({ path: `pkg/${"d/".repeat(300)}x` }), file("pkg/x"))],
    ["pax header too long", packed(ok, pax({ comment: long(70_000) }), file("pkg/x"))],
    ["outside the one folder", packed(ok, file("other/x"))],
    ["beside the one folder", packed(ok, file("x"))],
    ["one folder called like a file", packed(file("pkg"), ok)],
    ["symbolic link out", packed(ok, link("pkg/l", "../../escaped"))],
    ["symbolic link to an absolute path", packed(ok, link("pkg/l", "/etc/passwd"))],
    ["symbolic link with a long way out", packed(ok, link("pkg/a/b", "c/../../../x"))],
    ["symbolic link in a pax linkpath", packed(ok, pax({ linkpath: "/etc/passwd" }), link("pkg/l", "x"))],
    [
      "symbolic link in a GNU long link",
      packed(ok, member({ name: "x", type: "K", content: "/etc/passwd\0" }), link("pkg/l", "x")),
    ],
    ["symbolic link to nowhere", packed(ok, link("pkg/l", "missing"))],
    ["symbolic link to itself", packed(ok, link("pkg/l", "l"))],
    ["symbolic links in a circle", packed(ok, link("pkg/l", "m"), link("pkg/m", "l"))],
    ["symbolic link without a target", packed(ok, link("pkg/l", ""))],
    ["symbolic link with backslashes", packed(ok, link("pkg/l", "..\\..\\escaped"))],
    ["symbolic link to the folder itself", packed(ok, link("pkg/l", "."))],
    [
      "symbolic link through another one",
      packed(
        ok,
        member({ name: "pkg/d/", type: "5" }),
        link("pkg/d/up", ".."),
        link("pkg/l", "d/up/../../escaped"),
      ),
    ],
    ["file through a link", packed(ok, link("pkg/l", "/tmp"), file("pkg/l/escaped"))],
    [
      "file through a link inside",
      packed(ok, member({ name: "pkg/d/", type: "5" }), link("pkg/l", "d"), file("pkg/l/x")),
    ],
    ["link in place of a file", packed(ok, file("pkg/a"), link("pkg/a", "index.ts"))],
    ["file in place of a link", packed(ok, link("pkg/a", "index.ts"), file("pkg/a"))],
    ["one folder that is a link", packed(link("pkg", "/tmp"), ok)],
    ["hard link out", packed(ok, member({ name: "pkg/h", type: "1", linkname: "/etc/passwd" }))],
    ["hard link inside", packed(ok, member({ name: "pkg/h", type: "1", linkname: "pkg/index.ts" }))],
    ["character device", packed(ok, member({ name: "pkg/null", type: "3" }))],
    ["block device", packed(ok, member({ name: "pkg/sda", type: "4" }))],
    ["fifo", packed(ok, member({ name: "pkg/pipe", type: "6" }))],
    ["contiguous file", packed(ok, file("pkg/c", "x", { type: "7" }))],
    ["sparse file", packed(ok, file("pkg/s", "x", { type: "S" }))],
    ["multi-volume file", packed(ok, file("pkg/s", "x", { type: "M" }))],
    ["unknown type", packed(ok, file("pkg/s", "x", { type: "Z" }))],
    ["two files of one name", packed(ok, file("pkg/index.ts", "other"))],
    ["two files of one name, one with dots", packed(ok, file("./pkg/index.ts", "other"))],
    ["names that differ in case", packed(ok, file("pkg/INDEX.ts"))],
    ["folders that differ in case", packed(ok, file("pkg/lib/a"), file("pkg/Lib/b"))],
    ["names that differ in Unicode form", packed(ok, file("pkg/caf\u00e9"), file("pkg/cafe\u0301"))],
    ["names that look alike when folded", packed(ok, file("pkg/\ufb01le"), file("pkg/file"))],
    ["file that is also a folder", packed(ok, file("pkg/a"), file("pkg/a/b"))],
    ["folder that is also a file", packed(ok, file("pkg/a/b"), file("pkg/a"))],
    ["node_modules", packed(ok, file("pkg/node_modules/x/index.js"))],
    ["nested node_modules", packed(ok, file("pkg/a/Node_Modules/x"))],
    [".git", packed(ok, file("pkg/.git/hooks/post-checkout"))],
    [".GIT", packed(ok, file("pkg/.GIT/config"))],
    ["file too large", packed(ok, file("pkg/big", "z".repeat(6000)))],
    ["too much in all", packed(ok, ...[1, 2, 3].map((n) => file(`pkg/${n}`, String(n).repeat(4500))))],
    ["too many entries", packed(ok, ...Array.from({ length: 30 }, (_, n) => file(`pkg/${n}`, "")))],
    ["too many folders", packed(ok, file(`pkg/${"d/".repeat(30)}x`))],
    ["size beyond its content", packed(ok, file("pkg/x", "x", { size: 4000 }))],
    ["size of a terabyte", packed(ok, file("pkg/x", "x", { size: 2 ** 40 }))],
    ["negative size", packed(ok, file("pkg/x", "x", { rawSize: "-0000000001" }))],
    ["size that is no number", packed(ok, file("pkg/x", "x", { rawSize: "zzzzzzzzzzz" }))],
    ["bomb of zeros", swollen(40_000_000)],
    ["bomb in a file", packed(ok, file("pkg/zeros", "\0".repeat(3_000_000)))],
    ["archive in an archive", gzipSync(gzipSync(plain))],
    ["wrong checksum", packed(ok, file("pkg/x", "x", { badChecksum: true }))],
    ["cut short while compressed", gzipSync(plain).subarray(0, 90)],
    ["cut short inside a file", gzipSync(plain.subarray(0, 1700))],
    ["cut short inside a header", gzipSync(plain.subarray(0, 1300))],
    ["rubbish", gzipSync(Buffer.from("not a tar archive at all".repeat(50)))],
    ["not compressed", plain],
    ["text", new TextEncoder().encode("<!doctype html><title>Log in</title>")],
    ["nothing", new Uint8Array()],
    ["nothing in it", gzipSync(tarball())],
    ["one empty folder", packed(member({ name: "pkg/", type: "5" }))],
    ["zstd", Bun.zstdCompressSync(plain)],
  ];

  test("there are at least sixty of them", () => {
    expect(hostile.length).toBeGreaterThanOrEqual(60);
  });

  test.each(hostile)("%s", async (_name, archive) => {
    for (const pieces of [1 << 20, 700, 61]) {
      const { outcome, outside } = await attempt(archive, pieces);
      expect(outcome).toBeInstanceOf(InstallError);
      expect((outcome as InstallError).status).toBe(400);
      expect((outcome as InstallError).message).not.toContain("ends unexpectedly");
      expect(outside).toEqual(INSIDE_ONLY);
    }
  });
});

test.each([
  [
    "a link out",
    packed(ok, link("pkg/l", "/etc/passwd")),
    'the package contains "l": a link to "/etc/passwd"',
  ],
  ["a name with a backslash", packed(ok, file("pkg/b\\c")), '"b\\\\c"'],
  ["node_modules", packed(ok, file("pkg/node_modules/x/index.js")), "node_modules"],
  [
    "a hard link",
    packed(ok, member({ name: "pkg/h", type: "1", linkname: "pkg/index.ts" })),
    '"pkg/h", a Link',
  ],
  ["a file that is too large", packed(ok, file("pkg/big", "z".repeat(6000)), file("pkg/x")), "5000 bytes"],
  [
    "what it cannot hold",
    packed(ok, file("other/x"), file("pkg/x")),
    '"other/x" outside its top-level folder',
  ],
])("who is refused because of %s is told so", async (_what, archive, reason) => {
  for (const pieces of [1 << 20, 61]) {
    const { outcome } = await attempt(archive, pieces);
    expect((outcome as InstallError).message).toContain(reason);
  }
});

test.if(process.platform === "linux")("no file of a refused archive stays open", async () => {
  const opened = () => readdirSync("/proc/self/fd").filter((fd) => existsSync(`/proc/self/fd/${fd}`)).length;
  const before = opened();
  const cut = gzipSync(plain.subarray(0, 1700));
  for (let round = 0; round < 20; round++) await attempt(cut, 61);
  expect(opened()).toBeLessThan(before + 5);
});

test.each([
  ["a path for all entries has no effect", packed(pax({ path: "../escaped" }, "g"), ok), ["index.ts"]],
  [
    "a name ends at its NUL",
    packed(ok, pax({ path: "pkg/a\0/../../escaped" }), file("pkg/x")),
    ["a", "index.ts"],
  ],
])("%s", async (_name, archive, names) => {
  const { root, outcome, outside } = await attempt(archive);
  expect(outcome).toBeUndefined();
  expect(readdirSync(root).sort()).toEqual(names);
  expect(outside).toEqual(INSIDE_ONLY);
});

describe("a decent archive", () => {
  const decent = packed(
    member({ name: "./pkg/", type: "5" }),
    ok,
    file("pkg/lib/deep/a.ts", "deep", { mode: 0o100755 }),
    file("pkg/.env.example", ""),
    pax({ path: `pkg/${long(150)}` }),
    file("pkg/short", "long name"),
    file("pkg/set", "x", { mode: 0o4777 }),
    link("pkg/lib/up.ts", "../index.ts"),
    link("pkg/deep", "lib/deep"),
  );

  test.each([1 << 20, 700, 1])("is unpacked as it is, read in pieces of %p bytes", async (pieces) => {
    const { root, outcome } = await attempt(decent, pieces);
    expect(outcome).toBeUndefined();
    expect(readFileSync(join(root, "lib/up.ts"), "utf8")).toBe("export default {};");
    expect(readFileSync(join(root, "deep/a.ts"), "utf8")).toBe("deep");
    expect(readFileSync(join(root, long(150)), "utf8")).toBe("long name");
    expect(lstatSync(join(root, "lib/up.ts")).isSymbolicLink()).toBe(true);
    expect(existsSync(join(root, ".env.example"))).toBe(true);
  });

  test("keeps only whether a file can be run", async () => {
    const { root } = await attempt(decent);
    expect(statSync(join(root, "lib/deep/a.ts")).mode & 0o7777).toBe(0o755);
    expect(statSync(join(root, "index.ts")).mode & 0o7777).toBe(0o644);
    expect(statSync(join(root, "set")).mode & 0o7777).toBe(0o755);
  });

  test("ends at once when its reader is told to", async () => {
    const controller = new AbortController();
    const reason = new InstallError(504, "fetch", "too late");
    async function* slow() {
      yield decent.subarray(0, 20);
      controller.abort(reason);
      yield decent.subarray(20);
    }
    const root = mkdtempSync(join(ground, "slow-"));
    const unpacking = unpack(slow(), root, { signal: controller.signal, gzip: true, oneFolder: true });
    await expect(unpacking).rejects.toBe(reason);
  });
});
