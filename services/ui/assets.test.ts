import { beforeAll, expect, test } from "bun:test";
import { Hono } from "hono";
import { Assets, type Entries } from "./assets.js";
import { PAGE_NAMES } from "./page-names.js";

const KIB = 1024;
const assets = new Assets();
let entries: Entries;
beforeAll(async () => {
  entries = await assets.entries();
});

/** What files weigh on the wire, by their addresses. */
const weigh = (addresses: readonly string[]) =>
  addresses.reduce(
    (sum, address) => sum + (assets.sizes()[address.split("/").at(-1) ?? ""] ?? Number.NaN),
    0,
  );

test("what every page begins with weighs at most 25 KiB of scripts and 5 KiB of style, compressed", () => {
  expect(weigh([entries.first, entries.script, ...entries.shared])).toBeLessThanOrEqual(25 * KIB);
  expect(weigh([entries.style])).toBeLessThanOrEqual(5 * KIB);
});

test.each(PAGE_NAMES)("the page %p adds at most 7 KiB", (page) => {
  expect(entries.pages[page]).toStartWith(`/ui/assets/${page}-`);
  expect(weigh([entries.pages[page]])).toBeLessThanOrEqual(7 * KIB);
});

test("charts are not part of what any page begins with", () => {
  const begun = new Set([entries.script, ...entries.shared, ...Object.values(entries.pages)]);
  const later = Object.keys(assets.sizes())
    .map((name) => `/ui/assets/${name}`)
    .filter((file) => file.includes("/chunk-") && !begun.has(file));
  expect(later).toHaveLength(1);
  expect(weigh(later)).toBeGreaterThan(20 * KIB);
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
