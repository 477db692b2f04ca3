import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { KnownCode } from "./known-code.js";

test("what was used last is remembered longest, also when it has been known from the first", async () => {
  const folder = mkdtempSync(join(tmpdir(), "reef-known-"));
  try {
    const path = join(folder, "checked.json");
    const known = new KnownCode(path);
    for (let n = 0; n < 5000; n++) known.add(`digest ${n}`);
    known.add("digest 0");
    known.add("digest 5000");
    await known.saved();
    const next = new KnownCode(path);
    const has = [0, 1, 2, 5000].map((n) => [known.has(`digest ${n}`), next.has(`digest ${n}`)]);
    expect(has).toEqual([
      [true, true],
      [false, false],
      [true, true],
      [true, true],
    ]);
    expect(JSON.parse(readFileSync(path, "utf8"))).toHaveLength(5000);
  } finally {
    rmSync(folder, { recursive: true });
  }
});
