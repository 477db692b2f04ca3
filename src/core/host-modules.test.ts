import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Reef, startReef } from "../../tests/support/sandbox.js";
import { resolveOwnSource } from "./host-modules.js";

const core = import.meta.dir;

describe("imports of Reef's own source", () => {
  const types = join(core, "types.ts");
  test.each([
    ["../src/core/types.js", "/anywhere/services/x/index.ts", types],
    ["../../src/core/types.js", "/anywhere/services/x/index.ts", types],
    ["../../../src/core/types.js", "/anywhere/examples/services/x/index.ts", types],
    ["../../src/core/types.ts", "/anywhere/services/x/index.ts", types],
    ["../../src/core/none.js", "/anywhere/services/x/index.ts", undefined],
    ["../../src/main.js", "/anywhere/services/x/index.ts", undefined],
    ["./src/core/types.js", "/anywhere/services/x/index.ts", undefined],
    ["hono", "/anywhere/services/x/index.ts", undefined],
  ])("%s from %s", (specifier, importer, expected) => {
    expect(resolveOwnSource(specifier, importer)).toBe(expected);
  });

  test("a file that exists where the specifier points wins over Reef's own", () => {
    expect(resolveOwnSource("../src/core/names.js", join(core, "..", "x", "index.ts"))).toBe(
      join(core, "names.ts"),
    );
  });
});

describe("what all services share with the server", () => {
  let reef: Reef;
  const probe = (name: string, specifier: string) => `
    import { Hono } from "hono";
    import { Type, Kind } from "@sinclair/typebox";
    import { ReefError } from "${specifier}";
    import { HTTPException } from "hono/http-exception";
    globalThis.__shared ??= {};
    globalThis.__shared.${name} = { Hono, Type, Kind, ReefError, HTTPException };
    export default { name: "${name}", routes: new Hono() };
  `;
  type Shared = Record<string, Record<string, unknown>>;
  const shared = () => (globalThis as unknown as { __shared: Shared }).__shared;

  beforeAll(async () => {
    reef = await startReef({
      "one/index.ts": probe("one", "../../src/core/errors.js"),
      "two/index.ts": probe("two", "../src/core/errors.js"),
      "where/index.ts": `
        import { Hono } from "hono";
        const routes = new Hono();
        routes.get("/", (c) => c.json({ cwd: process.cwd(), main: import.meta.main, dataDir: process.env.REEF_DATA_DIR }));
        export default { name: "where", routes };
      `,
    });
  });
  afterAll(() => reef.end());

  test("has one instance each, so that instanceof holds across services and the server", async () => {
    const { Hono } = await import("hono");
    const { ReefError } = await import("./errors.js");
    const { one, two } = shared();
    for (const key of ["Hono", "Type", "Kind", "ReefError", "HTTPException"]) {
      expect(one?.[key]).toBeDefined();
      expect(one?.[key]).toBe(two?.[key]);
    }
    expect(one?.Hono).toBe(Hono);
    expect(one?.ReefError).toBe(ReefError);
  });

  test("leaves the working directory alone and names the server's data folder", async () => {
    const where = await (await reef.call("/where")).json();
    expect(where).toEqual({ cwd: process.cwd(), main: false, dataDir: reef.sandbox.dataDir });
  });
});
