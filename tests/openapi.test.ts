/** The OpenAPI document, held against a validator and a client generator that others wrote. */
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { join, resolve } from "node:path";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Type } from "@sinclair/typebox";
import { Hono } from "hono";
import { generateApi } from "swagger-typescript-api";
import { Compile } from "typebox/schema";
import { createDocs } from "../services/docs/index.js";
import { LogBook } from "../src/core/log.js";
import { type RunningServer, startServer } from "../src/core/server.js";
import { createTestHarness } from "../src/core/testing.js";
import type { Json, RouteDocs } from "../src/core/types.js";
import { Sandbox, TOKEN } from "./support/sandbox.js";

const root = resolve(import.meta.dir, "..");
const sandbox = new Sandbox();
let reef: RunningServer;
let document: Json;

beforeAll(async () => {
  const logs = new LogBook(() => undefined);
  const servicesDir = join(root, "services");
  reef = await startServer({ servicesDir, dataDir: sandbox.dataDir, port: 0, authToken: TOKEN, logs });
  await reef.settled;
  document = await (await fetch(`${reef.url}/docs/openapi.json`)).json();
}, 30_000);

afterAll(async () => {
  await reef.stop();
  sandbox.remove();
});

async function problemsOf(spec: Json): Promise<unknown> {
  const { valid, errors } = await new Validator().validate(structuredClone(spec));
  return valid ? [] : errors;
}

test("the document of the built-in services and examples is valid OpenAPI 3.1", async () => {
  expect(document.openapi).toStartWith("3.1");
  expect(await problemsOf(document)).toEqual([]);
  expect(Object.keys(document.paths)).toContain("/board/tasks/{id}");
});

test("the validator does find faults", async () => {
  const broken = structuredClone(document);
  broken.paths["/health"].get.responses = "none";
  expect(await problemsOf(broken)).not.toEqual([]);
});

test("every reference leads somewhere", () => {
  const dangling: string[] = [];
  const visit = (value: Json) => {
    if (typeof value !== "object" || value === null) return;
    if (typeof value.$ref === "string") {
      const target = value.$ref
        .slice(2)
        .split("/")
        .reduce((at: Json, key: string) => at?.[key], document);
      if (!value.$ref.startsWith("#/") || target === undefined) dangling.push(value.$ref);
    }
    for (const member of Object.values(value)) visit(member);
  };
  visit(document.paths);
  visit(document.components);
  expect(dangling).toEqual([]);
});

test("schemas, security, tags and examples are the services' own", () => {
  const { post } = document.paths["/board/tasks"];
  const { schema, examples } = post.requestBody.content["application/json"];
  expect(schema.required).toEqual(["title", "createdBy"]);
  expect(schema.properties.title).toMatchObject({ maxLength: 200, description: "1 to 200 characters" });
  expect(examples.example1.value).toMatchObject({ title: "Paint the boat" });
  expect(post.responses["201"].content["application/json"].schema.$ref).toBe("#/components/schemas/Task");
  expect(post.responses["401"].$ref).toBe("#/components/responses/Unauthorized");
  expect(post.tags).toEqual(["board"]);
  expect(post.security).toBeUndefined();
  expect(document.security).toEqual([{ bearer: [] }]);
  expect(document.paths["/health"].get.security).toEqual([]);
  expect(document["x-events"].map(({ name }: Json) => name)).toContain("board:task_created");
});

describe("documented statuses", () => {
  const answered: Array<[string, string, string, number]> = [
    ["GET", "/services/{name}", "/services/__proto__", 400],
    ["GET", "/services/{name}/logs", "/services/%00/logs", 400],
    ["GET", "/services/{name}/versions", "/services/__proto__/versions", 400],
    ["GET", "/services/export/{name}", "/services/export/%00", 400],
    ["GET", "/feed/events/{id}", "/feed/events/a?x=1", 400],
    ["GET", "/feed/stats", "/feed/stats?x=1", 400],
    ["GET", "/", "/", 302],
  ];
  test.each(answered)(
    "%s %s of the document says what %s is answered with",
    async (method, path, at, status) => {
      const headers = { authorization: `Bearer ${TOKEN}` };
      expect((await fetch(reef.url + at, { method, headers, redirect: "manual" })).status).toBe(status);
      expect(Object.keys(document.paths[path][method.toLowerCase()].responses)).toContain(String(status));
    },
  );

  test("all routes that store something on the board, in the log and in the feed name the full disk", () => {
    const silent = Object.entries<Json>(document.paths)
      .filter(([path]) => /^\/(board|log|feed)(\/|$)/.test(path))
      .flatMap(([path, item]) =>
        Object.entries<Json>(item).map(([method, { responses }]) => ({ path, method, responses })),
      )
      .filter(({ method, responses }) => method !== "get" && !responses["507"])
      .map(({ path, method }) => `${method} ${path}`);
    expect(silent).toEqual([]);
  });

  test("the body of an event is what the feed takes", () => {
    const { schema } = document.paths["/feed/events"].post.requestBody.content["application/json"];
    const event = Compile(schema);
    expect(event.Check({ type: "a", source: "b", content: "c", more: [1] })).toBe(true);
    expect(event.Check({ type: "a", agent: "b", summary: "c", parentId: null })).toBe(true);
    expect(event.Check({ type: "a", source: "b" })).toBe(false);
    expect(event.Check({ source: "b", content: "c" })).toBe(false);
    expect(schema.properties.source.description).toContain("Required");
  });
});

describe("a generated client", () => {
  const consumer = `import { Api } from "./client.js";
export async function visit(baseUrl: string, token: string) {
  const api = new Api<string>({
    baseUrl,
    securityWorker: (token) => (token ? { headers: { authorization: "Bearer " + token } } : {}),
  });
  const refused = await api.board.getBoardTasks().catch((reply: Response) => reply.status);
  api.setSecurityData(token);
  const created = await api.board.postBoardTasks({ title: "From a client", createdBy: "test" });
  const id: string = created.data.id;
  const status: "open" | "in_progress" | "blocked" | "in_review" | "done" = created.data.status;
  const read = await api.board.getBoardTasksById(id);
  const title: string = read.data.title;
  // @ts-expect-error a task needs a title
  const bad = await api.board.postBoardTasks({ createdBy: "test" }).catch((reply: { error: { error: string } }) => reply.error);
  return { refused, status, title, bad };
}
`;

  test("compiles and works", async () => {
    const generated = await generateApi({
      spec: document,
      output: false,
      silent: true,
      httpClientType: "fetch",
    });
    const client = generated.files[0]?.fileContent.replace("// @ts-nocheck", "") ?? "";
    sandbox.write("client/client.ts", client);
    const file = sandbox.write("client/consumer.ts", consumer);
    const flags =
      "--noEmit --strict --skipLibCheck --target esnext --module preserve --lib esnext,dom,dom.iterable --types";
    const tsc = Bun.spawnSync([join(root, "node_modules/.bin/tsc"), ...flags.split(" "), "", file], {
      cwd: sandbox.root,
    });
    expect(tsc.stdout.toString()).toBe("");
    const { visit } = await import(file);
    expect(await visit(reef.url, TOKEN)).toEqual({
      refused: 401,
      status: "open",
      title: "From a client",
      bad: { error: expect.stringContaining("title") },
    });
  }, 60_000);
});

test("whatever authors write, the document stays valid", async () => {
  const ok = (c: { text(text: string): Response }) => c.text("ok");
  const routes = new Hono();
  const paths = "/ /:id{[0-9]+} /:slug /a/:x/:y? /files/* /x/*/y/* /x/:a-b /deep/:id{[0-9]{2}}/:id2".split(
    " ",
  );
  for (const path of paths) routes.get(path, ok).all(`/all${path}`, ok);
  routes.on("PURGE", "/", ok).delete("/:name", ok);
  const Tree = Type.Recursive((This) => Type.Object({ left: Type.Optional(This) }), { $id: "Tree" });
  const docs: Record<string, Partial<RouteDocs>> = {
    "GET /": {
      summary: "`<b>`",
      response: "204",
      schemas: { query: Type.Object({ q: Type.Tuple([Type.String()]) }) },
    },
    // Not what a schema is, but what is easily taken for one.
    "GET /:id": {
      schemas: { params: { properties: { id: "string" } }, query: { properties: { a: null, b: true } } },
    },
    "ALL /all/:id": { schemas: { body: { properties: { a: "string" }, anyOf: [null] } } },
    "DELETE /:name": {
      params: { name: { type: "???", description: "", required: true } },
      bodyType: "application/gzip",
    },
    "GET /:slug": {
      responses: {
        200: { description: "", schema: Tree },
        299: { description: "" },
        302: { description: "away" },
      },
    },
    "ALL /all/": { schemas: { body: Tree }, examples: [{ body: { left: {} } }, {}] },
    "GET /files/*": { response: "200 text/event-stream", auth: false },
    "GET /a/:x/:y?": { schemas: { params: { $ref: "https://example.com/x" } } },
  };
  const odd = { name: "o.d-d_1", routes, routeDocs: docs as Record<string, RouteDocs> };
  const rooted = { name: "rooted", mountAtRoot: true, routes: new Hono().get("/:anything", ok) };
  const t = await createTestHarness({ services: [odd, rooted, createDocs()] });
  try {
    const { data } = await t.json("/docs/openapi.json");
    expect(await problemsOf(data)).toEqual([]);
    expect((await t.fetch("/docs/ui")).status).toBe(200);
    expect(Object.keys(data.paths)).toContain("/o.d-d_1/a/{x}");
    expect(Object.keys(data.paths)).toContain("/o.d-d_1/files/{wildcard}");
    expect(
      data.paths["/o.d-d_1/x/{wildcard}/y/{wildcard2}"].get.parameters.map(({ name }: Json) => name),
    ).toEqual(["wildcard", "wildcard2"]);
    expect(data.paths["/o.d-d_1/{id}"].delete.parameters).toMatchObject([{ name: "id", in: "path" }]);
    const ids = Object.values<Json>(data.paths).flatMap((item) =>
      Object.values<Json>(item).map((op) => op.operationId),
    );
    expect(new Set(ids).size).toBe(ids.length);
  } finally {
    await t.cleanup();
  }
});
