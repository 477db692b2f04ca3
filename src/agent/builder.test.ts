import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import type { ExtensionAPI, ToolDefinition } from "@mariozechner/pi-coding-agent";
import { buildTried, ExtensionBuilder } from "./builder.js";
import type { CatalogHost } from "./catalog.js";
import { buildFromFolder } from "./from-folder.js";

let root: string;
beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), "reef-builder-"));
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Writes services; keys are paths below a folder of their own, which is returned. */
async function folder(files: Record<string, string>): Promise<string> {
  const dir = mkdtempSync(join(root, "services-"));
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(dir, path)), { recursive: true });
    await Bun.write(join(dir, path), text);
  }
  return dir;
}

const sourcesOf = (dir: string, ...names: string[]) => names.map((name) => ({ name, dir: join(dir, name) }));

/** The tools that a bundle registers, as an agent's model would see them. */
async function toolsOf(code: string): Promise<ToolDefinition[]> {
  const file = join(mkdtempSync(join(root, "bundle-")), "extension.mjs");
  await Bun.write(file, code);
  const { default: factory } = await import(pathToFileURL(file).href);
  const tools: ToolDefinition[] = [];
  const pi = {
    events: {},
    on: () => undefined,
    registerTool: (tool: ToolDefinition) => void tools.push(tool),
  };
  await factory(pi as unknown as ExtensionAPI);
  return tools;
}

const tool = (name: string, parameters = "{}") =>
  `pi.registerTool({ name: "${name}", label: "", description: "", parameters: ${parameters}, execute: async () => client.ok("") });`;

const service = (name: string, ...tools: string[]) =>
  `export default { name: "${name}", registerTools(pi, client) { ${tools.join("\n")} } };`;

describe("buildTried", () => {
  test("takes files along as what their import says they are", async () => {
    const dir = await folder({
      "texts/index.ts": `
        import text from "./describe.md" with { type: "text" };
        import docs from './docs.yaml' with {type: 'text'};
        import data, { also } from "./data.conf" with { type: "json" };
        import plain from "./plain.yml";
        import page from "./page.html";
        export default { name: "texts", registerTools(pi, client) {
          pi.registerTool({ name: "texts_work", label: docs, description: text, parameters: {},
            async execute() {
              const run = await import("./run.sh", { with: { type: "text" } });
              const why = await Promise.resolve().then(() => page.index).catch((error) => error.message);
              return client.ok([run.default, data.one, also, plain.yes, why].join("|"));
            } }); } };`,
      "texts/describe.md": "# Describes",
      "texts/docs.yaml": "a: 1",
      "texts/data.conf": '{ "one": 1, "also": 2 }',
      "texts/plain.yml": "yes: 3",
      "texts/run.sh": "exit 4",
      "texts/page.html": "<p>server</p>",
    });
    const [work] = await toolsOf((await buildTried(sourcesOf(dir, "texts"))).code);
    expect(work).toMatchObject({ label: "a: 1", description: "# Describes" });
    const result = JSON.stringify(await work?.execute("", {}, undefined, undefined, {} as never));
    expect(result).toContain('"exit 4|1|2|3|');
    expect(result).toContain("belongs to the server");
  });

  test("finds tools in a file of their own and inline, and leaves the server half behind", async () => {
    const dir = await folder({
      "split/index.ts": `
        import { Store } from "./store.js"; import { createRoutes } from "./routes.js"; import { registerTools } from "./tools.js";
        const store = new Store(); export default { name: "split", store, routes: createRoutes(store), registerTools };`,
      "split/store.ts": `import { Database } from "bun:sqlite"; export class Store { db = new Database("SERVER_ONLY_STORE"); }`,
      "split/routes.ts": `import { Hono } from "hono"; export const createRoutes = () => new Hono().get("/", "SERVER_ONLY_ROUTES");`,
      "split/tools.ts": `export function registerTools(pi, client) { ${tool("split_work")} }`,
      "inline/index.ts": `import { Database } from "bun:sqlite"; const db = new Database("x.db"); ${service("inline", tool("inline_work"))}`,
    });
    const { code, services, leftOut, problems } = await buildTried(sourcesOf(dir, "split", "inline"));
    expect({ services, leftOut, problems }).toEqual({
      services: ["inline", "split"],
      leftOut: [],
      problems: [],
    });
    expect(code).not.toContain("SERVER_ONLY");
    expect((await toolsOf(code)).map(({ name }) => name)).toEqual(["inline_work", "split_work"]);
  });

  test("takes constants along that a service keeps beside its store", async () => {
    const dir = await folder({
      "states/index.ts": `
        import { STATES, Store } from "./store.js"; const store = new Store();
        export default { name: "states", store, registerTools(pi, client) {
          ${tool("states_set", '{ type: "object", properties: { state: { enum: STATES.map((state) => state) } } }')} } };`,
      "states/store.ts": `
        import { existsSync, readFileSync } from "node:fs"; export const STATES = ["open", "done"];
        export class Store { items = existsSync("data.json") ? JSON.parse(readFileSync("data.json", "utf8")) : []; }`,
    });
    const { code, problems } = await buildTried(sourcesOf(dir, "states"));
    expect(problems).toEqual([]);
    const [only] = await toolsOf(code);
    expect(only?.parameters).toEqual({
      type: "object",
      properties: { state: { enum: ["open", "done"] } },
    } as never);
  });

  test("reports collisions and what registration throws", async () => {
    const dir = await folder({
      "a/index.ts": service("a", tool("a_work"), tool("shared_work")),
      "b/index.ts": service("b", tool("shared_work"), 'throw new Error("half way");'),
    });
    const { problems } = await buildTried(sourcesOf(dir, "a", "b"));
    expect(problems).toEqual([
      { service: "b", error: "registerTools threw: half way" },
      { service: "b", tool: "shared_work", error: expect.stringContaining('already used by "a"') },
    ]);
  });

  test("finds every service that cannot be parsed, and one that ends the process", async () => {
    const dir = await folder({
      "good/index.ts": service("good", tool("good_work")),
      "bad1/index.ts": "export default {",
      "bad2/index.ts": 'import "./missing.js"; export default { name: "bad2" };',
      "leaver/index.ts": "(0, eval)('process.exit(0)'); export default { name: 'leaver' };",
    });
    const { services, leftOut } = await buildTried(sourcesOf(dir, "good", "bad1", "bad2", "leaver"));
    expect(services).toEqual(["good"]);
    expect(leftOut.map(({ name }) => name).toSorted()).toEqual(["bad1", "bad2", "leaver"]);
    expect(leftOut.find(({ name }) => name === "bad2")?.reason).toContain("missing.js");
  });

  test("the same services make the same file, other ones another", async () => {
    const dir = await folder({
      "a/index.ts": service("a", tool("a_work")),
      "b/index.ts": service("b", tool("b_work")),
    });
    const [first, second, other] = await Promise.all([
      buildTried(sourcesOf(dir, "a", "b")),
      buildTried(sourcesOf(dir, "b", "a")),
      buildTried(sourcesOf(dir, "a")),
    ]);
    expect(first.hash).toBe(second.hash);
    expect(first.hash).not.toBe(other.hash);
  });
});

test("a builder keeps what it built until there is another service, whether it was told or not", async () => {
  const dir = await folder({
    "a/index.ts": service("a", tool("a_work")),
    "b/index.ts": service("b", tool("b_work")),
  });
  const loaded: object[] = [];
  const load = (name: string) =>
    loaded.push({ name, state: "loaded", module: { name, registerTools: () => undefined } });
  const registry = { list: () => loaded, servedFrom: (name: string) => join(dir, name) };
  const builder = new ExtensionBuilder({ getModules: () => [], registry } as unknown as CatalogHost);
  load("a");
  const first = builder.current();
  expect((await first).services).toEqual(["a"]);
  expect(builder.current()).toBe(first);
  load("b");
  expect((await builder.current()).services).toEqual(["a", "b"]);
  const before = builder.current();
  builder.invalidate();
  expect(builder.current()).not.toBe(before);
  await builder.close();
});

describe("buildFromFolder", () => {
  test("takes the services with a client half, under the names that they say", async () => {
    const dir = await folder({
      "folder-name/index.ts": `export default { ...${JSON.stringify({ name: "own-name", capabilities: ["ops"] })}, registerTools(pi, client) { ${tool("own_name_work")} } };`,
      "server/index.ts":
        'import { Hono } from "hono"; export default { name: "server", routes: new Hono() };',
      "mentions/index.ts": '// has no registerTools\nexport default { name: "mentions" };',
      "plain/index.ts": service("plain", tool("plain_work")),
    });
    expect((await buildFromFolder(dir)).services).toEqual(["own-name", "plain"]);
    expect((await buildFromFolder(dir, { services: ["own-name"] })).services).toEqual(["own-name"]);
    expect((await buildFromFolder(dir, { category: "dev" })).services).toEqual(["plain"]);
    expect((await buildFromFolder(dir, { services: [] })).services).toEqual(["own-name", "plain"]);
  });
});
