/** Every example request in the documentation is sent as it stands and must get a status that is documented. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import type { Docs, RouteEntry } from "../services/docs/model.js";
import { buildRequest, valuesOf } from "../services/docs/page/request.js";
import { LogBook } from "../src/core/log.js";
import { checkRouteDocs } from "../src/core/route-docs.js";
import { type RunningServer, startServer } from "../src/core/server.js";
import type { Json, RouteExample } from "../src/core/types.js";
import { copyOfServices } from "./support/checkout.js";
import { TOKEN } from "./support/sandbox.js";

const sandbox = copyOfServices();
let reef: RunningServer;
let docs: Docs;
let openapi: Json;

beforeAll(async () => {
  const { servicesDir, dataDir } = sandbox;
  const logs = new LogBook(() => undefined);
  reef = await startServer({ servicesDir, dataDir, port: 0, authToken: TOKEN, logs });
  await reef.settled;
  docs = (await (await fetch(`${reef.url}/docs`)).json()) as Docs;
  openapi = await (await fetch(`${reef.url}/docs/openapi.json`)).json();
}, 30_000);

afterAll(async () => {
  await reef.stop();
  sandbox.remove();
});

/** `/board/tasks/{id}` of `/board/tasks/:id`. */
const template = (path: string) => path.replace(/:([^/?]+)\??/g, "{$1}").replace(/\*/g, "{wildcard}");

async function replay(route: RouteEntry, example: RouteExample): Promise<Response> {
  const { method, url, headers, body } = buildRequest(route, valuesOf(route, example));
  const authorization = `Bearer ${TOKEN}`;
  return fetch(reef.url + url, { method, headers: { ...headers, authorization }, body, redirect: "manual" });
}

/** A stream has no end: that it began is enough. */
async function textOf(reply: Response): Promise<string> {
  if (!reply.headers.get("content-type")?.startsWith("text/event-stream")) return reply.text();
  await reply.body?.cancel();
  return "";
}

/** Things are made first, then read and changed, and removed last. */
const turn = ({ method, path }: RouteEntry) =>
  ["POST", "GET", "PATCH", "PUT", "ALL", "DELETE"].indexOf(method) +
  (/disable/.test(path) ? 8 : /enable/.test(path) ? 9 : 0);

test("every example gets a documented status, and the one it promises", async () => {
  const surprises: string[] = [];
  let sent = 0;
  for (const { name, routes } of [{ name: "server", routes: docs.server.routes }, ...docs.services]) {
    // Examples are about things with made-up ids: they are about the thing that was created last instead.
    let latest: string | undefined;
    for (const route of routes.toSorted((a, b) => turn(a) - turn(b))) {
      const documented = openapi.paths[template(route.path)]?.[route.method.toLowerCase()]?.responses ?? {};
      for (const example of route.examples ?? []) {
        const params = latest && example.params?.id ? { ...example.params, id: latest } : example.params;
        const reply = await replay(route, { ...example, params });
        const text = await textOf(reply);
        sent++;
        if (reply.status === 201 && !params?.id) latest = JSON.parse(text).id ?? latest;
        const known = String(reply.status) in documented || (reply.ok && "2XX" in documented);
        const kept = example.status === undefined || example.status === reply.status;
        if (!known || !kept) {
          const expected = example.status ?? Object.keys(documented).join(" ");
          surprises.push(
            `${name}: ${route.id} (${example.summary}): ${reply.status}, documented ${expected}: ${text.slice(0, 200)}`,
          );
        }
        if (params?.id && latest === params.id && reply.status === 404)
          surprises.push(`${route.id} did not find ${latest}`);
      }
    }
  }
  expect(surprises).toEqual([]);
  expect(sent).toBeGreaterThan(40);
}, 60_000);

test("each documented route of the built-in services and examples has an example", () => {
  const without = docs.services.flatMap(({ routes }) =>
    routes.filter(({ summary, examples }) => summary && !examples).map(({ id }) => id),
  );
  expect(without).toEqual([]);
});

/** Services whose authors have not documented their routes yet. */
const PENDING = new Set(["ui"]);

test("the documentation of the built-in services and examples is complete", () => {
  const warnings = [...reef.liveModules.values()].flatMap((module) =>
    PENDING.has(module.name) ? [] : checkRouteDocs(module).map((warning) => `${module.name}: ${warning}`),
  );
  expect(warnings).toEqual([]);
});
