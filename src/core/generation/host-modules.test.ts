import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join } from "node:path";
import { type Reef, startReef } from "../../../tests/support/sandbox.js";
import { resolveOwnSource, SHARED_PACKAGES } from "./host-modules.js";

const core = join(import.meta.dir, "..");

describe("imports of Reef's own source", () => {
  const types = join(core, "types.ts");
  const testing = join(core, "../../services/broker/testing.ts");
  test.each([
    ["../src/core/types.js", "/anywhere/services/x/index.ts", types],
    ["../../src/core/types.js", "/anywhere/services/x/index.ts", types],
    ["../../../src/core/types.js", "/anywhere/examples/services/x/index.ts", types],
    ["../../src/core/types.ts", "/anywhere/services/x/index.ts", types],
    ["../../../services/broker/testing.js", "/anywhere/services/x/x.test.ts", testing],
    ["../../services/broker/service.js", "/anywhere/services/x/x.test.ts", undefined],
    ["../../services/none/testing.js", "/anywhere/services/x/x.test.ts", undefined],
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

describe("the packages that are shared", () => {
  const entriesOf = async (name: string) => {
    const folder = join(core, "..", "..", "node_modules", name);
    const { exports } = await Bun.file(join(folder, "package.json")).json();
    return Object.keys(exports).map((entry) => (entry === "." ? name : `${name}/${entry.slice(2)}`));
  };

  test("are shared with all their entries but those for the browser and for other platforms", async () => {
    const elsewhere =
      /\/(jsx\/dom.*|utils\/\*|cloudflare-.*|deno|aws-lambda|vercel|netlify|lambda-edge|service-worker)$/;
    const hono = (await entriesOf("hono")).filter((entry) => !elsewhere.test(entry));
    const shared = SHARED_PACKAGES.filter((entry) => entry.startsWith("hono"));
    expect([...shared].toSorted()).toEqual(hono.toSorted());
    const typebox = await entriesOf("@sinclair/typebox");
    expect(SHARED_PACKAGES.filter((entry) => !shared.includes(entry) && !typebox.includes(entry))).toEqual(
      [],
    );
  });

  test("work together: what one entry makes, another one knows", async () => {
    const reef = await startReef({
      "a/index.ts": `import { Hono } from "hono";
        import { matchedRoutes, routePath } from "hono/route";
        import { timeout } from "hono/timeout";
        import { HTTPException } from "hono/http-exception";
        import { FormatRegistry, Type } from "@sinclair/typebox";
        import { Value } from "@sinclair/typebox/value";
        FormatRegistry.Set("even", (text) => text.length % 2 === 0);
        const routes = new Hono();
        routes.get("/of/:id", (c) => c.json([routePath(c), matchedRoutes(c).length]));
        routes.get("/format", (c) => c.json(Value.Check(Type.String({ format: "even" }), "ab")));
        routes.get("/late", timeout(1), async (c) => { await Bun.sleep(50); return c.text("late"); });
        routes.onError((error, c) => c.json(error instanceof HTTPException));
        export default { name: "a", routes };`,
    });
    // The first request takes another way than those that follow.
    for (let round = 0; round < 2; round++) {
      expect(await reef.text("/a/of/7")).toBe('["/of/:id",1]');
      expect([await reef.text("/a/format"), await reef.text("/a/late")]).toEqual(["true", "true"]);
    }
    await reef.end();
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
    const { ReefError } = await import("../errors.js");
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
