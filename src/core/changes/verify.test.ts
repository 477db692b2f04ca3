import { describe, expect, test } from "bun:test";
import { answering, startReef } from "../../../tests/support/sandbox.js";
import { contentDigest } from "../code/digest.js";

const one = answering("a", "one");
const two = answering("a", "two");

async function twoVersions() {
  const reef = await startReef({ "a/index.ts": one });
  reef.sandbox.services({ "a/index.ts": two });
  return reef;
}

describe("load with a verification", () => {
  test("asks the new version while the old one is what others reach", async () => {
    const reef = await twoVersions();
    const seen: string[] = [];
    await reef.ctx.registry.load("a", {
      verify: async ({ request, module, digest }) => {
        seen.push(await (await request("/")).text(), module.name, digest);
      },
    });
    expect(seen).toEqual(["two", "a", contentDigest(`${reef.sandbox.servicesDir}/a`)]);
    expect(await reef.text("/a")).toBe("two");
    await reef.end();
  });

  test("is answered the way that all later requests are", async () => {
    // Whether it is Hono's own context, which has its functions itself, shows what way a request took.
    const code = `import { Hono } from "hono";
      const routes = new Hono();
      routes.get("/", (c) => c.json(Object.hasOwn(c, "text")));
      export default { name: "a", routes };`;
    const reef = await startReef({ "a/index.ts": code });
    let seen = "";
    await reef.ctx.registry.load("a", {
      verify: async ({ request }) => {
        seen = await (await request("/")).text();
      },
    });
    await reef.text("/a");
    expect(seen).toBe(await reef.text("/a"));
    await reef.end();
  });

  test("keeps the old version when it throws, and lets the new one go", async () => {
    const reef = await startReef({ "a/index.ts": one });
    const counts = "globalThis.verified";
    reef.sandbox.services({
      "a/index.ts": answering(
        "a",
        "two",
        `dispose() { ${counts} = "disposed"; }, store: { flush() { ${counts} = "flushed"; } },`,
      ),
    });
    const loading = reef.ctx.registry.load("a", { verify: () => Promise.reject(new Error("not like this")) });
    await expect(loading).rejects.toMatchObject({
      code: "VERIFY_FAILED",
      step: "verify",
      message: "not like this",
    });
    expect((globalThis as { verified?: string }).verified).toBe("disposed");
    expect(await reef.text("/a")).toBe("one");
    expect(reef.ctx.registry.get("a")).toMatchObject({ generation: 1, failure: { code: "VERIFY_FAILED" } });
    await reef.end();
  });

  test("keeps a new service from being added when it throws", async () => {
    const reef = await startReef({});
    reef.sandbox.services({ "a/index.ts": one });
    const loading = reef.ctx.registry.load("a", { verify: () => Promise.reject(new Error("no")) });
    await expect(loading).rejects.toMatchObject({ code: "VERIFY_FAILED" });
    expect((await reef.call("/a")).status).toBe(404);
    await reef.end();
  });

  test("requests that come meanwhile wait, and are answered by the version that results", async () => {
    const reef = await twoVersions();
    let asked: Promise<string> | undefined;
    await reef.ctx.registry.load("a", {
      verify: async () => {
        asked = reef.text("/a");
        await Bun.sleep(1);
      },
    });
    expect(await asked).toBe("two");
    await reef.end();
  });

  test("only loads the code it was asked for", async () => {
    const reef = await twoVersions();
    const loading = reef.ctx.registry.load("a", { digest: "0".repeat(64) });
    await expect(loading).rejects.toMatchObject({ code: "CHANGED" });
    expect(await reef.text("/a")).toBe("one");
    const { digest, tried } = await reef.ctx.registry.check("a");
    expect(tried).toBe(false);
    await reef.ctx.registry.load("a", { digest });
    expect(await reef.text("/a")).toBe("two");
    await reef.end();
  });
});
