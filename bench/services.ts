/** Folders of services for measurements. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Writes a service of `files` files: an entry, a store, routes, and parts that the routes use. */
export function writeService(servicesDir: string, name: string, version: number, files: number): void {
  const dir = join(servicesDir, name);
  mkdirSync(dir, { recursive: true });
  const parts = Array.from({ length: files - 3 }, (_, n) => `part${n}`);
  const content: Record<string, string> = {
    "index.ts": `import type { ServiceModule } from "../src/core/types.js";
import { createRoutes } from "./routes.js";
import { Store } from "./store.js";
const store = new Store();
const service: ServiceModule = {
  name: ${JSON.stringify(name)},
  description: "A service to measure with",
  routes: createRoutes(store),
  store,
};
export default service;
`,
    "store.ts": `export class Store {
  readonly items = new Map<string, { id: string; text: string }>();
  add(text: string) {
    const item = { id: crypto.randomUUID(), text };
    this.items.set(item.id, item);
    return item;
  }
  flush(): void {}
}
`,
    "routes.ts": `import { Hono } from "hono";
${parts.map((part) => `import { ${part} } from "./${part}.js";`).join("\n")}
import type { Store } from "./store.js";
export function createRoutes(store: Store): Hono {
  const routes = new Hono();
  routes.get("/", (c) => c.json({ version: ${version}, parts: [${parts.map((part) => `${part}()`).join(", ")}] }));
  routes.post("/", async (c) => c.json(store.add((await c.req.json()).text), 201));
  return routes;
}
`,
  };
  for (const part of parts) {
    content[`${part}.ts`] =
      `export function ${part}(): string {\n  return "${part} of version ${version}";\n}\n`;
  }
  for (const [file, text] of Object.entries(content)) writeFileSync(join(dir, file), text);
}
