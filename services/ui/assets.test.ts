import { beforeAll, expect, test } from "bun:test";
import { Hono } from "hono";
import { Assets, type Entries } from "./assets.js";

const KIB = 1024;
const assets = new Assets();
let entries: Entries;
beforeAll(async () => {
  entries = await assets.entries();
});

const sizeOf = (address: string) => assets.sizes()[address.split("/").at(-1) ?? ""] ?? Number.NaN;

test("the shell's scripts weigh at most 35 KiB, its style at most 10 KiB, compressed", () => {
  expect(sizeOf(entries.script) + sizeOf(entries.first)).toBeLessThanOrEqual(35 * KIB);
  expect(sizeOf(entries.style)).toBeLessThanOrEqual(10 * KIB);
});

test("charts are not part of what every page loads", () => {
  const chunks = Object.keys(assets.sizes()).filter((name) => name.startsWith("chunk"));
  expect(chunks.length).toBeGreaterThan(0);
});

test("files are compressed for those who take it, and kept for ever", async () => {
  const app = new Hono().get("/ui/assets/:file", (c) => assets.serve(c));
  const packed = await app.request(entries.script, { headers: { "accept-encoding": "gzip, br" } });
  expect(packed.headers.get("content-encoding")).toBe("gzip");
  expect(packed.headers.get("cache-control")).toContain("immutable");
  const plain = await app.request(entries.script);
  expect(plain.headers.get("content-encoding")).toBeNull();
  expect(Bun.gunzipSync(await packed.arrayBuffer())).toEqual(new Uint8Array(await plain.arrayBuffer()));
});

test("nothing is loaded from elsewhere, and no text is run as code", async () => {
  const app = new Hono().get("/ui/assets/:file", (c) => assets.serve(c));
  for (const name of Object.keys(assets.sizes())) {
    const text = await (await app.request(`/ui/assets/${name}`)).text();
    expect(text.match(/https?:\/\/(?!www\.w3\.org\/|localhost)[\w.-]+/g) ?? []).toEqual([]);
    expect(text).not.toMatch(/\beval\(|new Function\(/);
  }
});

test("the panels' script stays inside its element", async () => {
  const script = await assets.panelScript();
  expect(script).not.toContain("</");
  expect(script).not.toContain("<!--");
});
