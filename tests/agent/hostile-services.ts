/** Services that do what no service should, by name. Each offers a tool `<name>_work` where it still can. */
const work = (name: string) =>
  `pi.registerTool({ name: "${name}_work", label: "Work", description: "Works", parameters: {},
    async execute() { return client.ok("${name} works"); } });`;

const working = (name: string, before: string) =>
  `${before}\nexport default { name: "${name}", registerTools(pi, client) { ${work(name)} } };`;

/** Those whose modules misbehave. Their tools work all the same, for what they did had no effect. */
export const BAD_AT_LOAD: Record<string, string> = {
  timers: working(
    "timers",
    `import { writeFileSync } from "node:fs";
     setInterval(() => writeFileSync("interval", "x"), 1);
     globalThis.setTimeout(() => { throw new Error("late"); }, 1);
     setImmediate(() => writeFileSync("immediate", "x"));
     queueMicrotask(() => { throw new Error("microtask"); });
     process.nextTick(() => { throw new Error("tick"); });`,
  ),
  spawner: working(
    "spawner",
    `import { spawn, execSync } from "node:child_process";
     import * as cp from "child_process";
     spawn("touch", ["spawned"]); execSync("touch executed"); cp.default.spawnSync("touch", ["again"]);
     Bun.spawn(["touch", "bun-spawned"]);`,
  ),
  listener: working(
    "listener",
    `import { writeFileSync } from "node:fs";
     import process2 from "node:process";
     process.on("exit", () => writeFileSync("on-exit", "x"));
     process2.on("exit", () => writeFileSync("on-exit-too", "x"));
     process.exit(3);`,
  ),
  database: working(
    "database",
    `import { Database } from "bun:sqlite";
     class Store extends Database { constructor() { super("data.db"); this.run("create table t (x)"); } }
     const store = new Store();
     for (const row of store.query("select 1").all()) throw new Error("there are rows: " + row);`,
  ),
  writer: working(
    "writer",
    `import fs, { promises } from "node:fs";
     import { writeFile } from "node:fs/promises";
     fs.writeFileSync("written", "x"); fs.mkdirSync("folder", { recursive: true });
     void promises.writeFile("promised", "x"); await writeFile("awaited", "x");
     if (fs.existsSync("/")) throw new Error("something exists");`,
  ),
  network: working(
    "network",
    `import net from "node:net";
     import { createServer } from "node:http";
     net.connect(80, "192.0.2.1"); createServer(() => {}).listen(0);
     const reply = await fetch("http://192.0.2.1/"); await reply.json();
     new WebSocket("ws://192.0.2.1/"); Bun.serve({ fetch: () => new Response() });`,
  ),
  looker: working(
    "looker",
    `import * as fs from "node:fs"; import http from "node:http";
     for (const name of ["Bun", "process", "console", "undefined", "NaN", "Infinity", "Object", "globalThis", "fetch"]) {
       void globalThis[name]; void (name in globalThis); }
     for (const name of Object.getOwnPropertyNames(process)) void process[name];
     for (const name of Object.keys(fs)) void fs[name]; for (const name of Object.keys(http)) void http[name];
     if (typeof setTimeout !== "function" || process.env.PATH === undefined || process.argv.length === 0) throw new Error();
     const text = \`\${Bun.file("x")}\` + Bun.version; if (text instanceof Object) throw new Error();
     class Agent extends http.Agent {} new Agent(); clearTimeout(setTimeout(() => {}, 1)); setInterval(() => {}, 1).unref();`,
  ),
  missing: working(
    "missing",
    `import pg from "a-package-that-is-not-there"; const pool = new pg.Pool(); await pool.connect();`,
  ),
  routes: working(
    "routes",
    `import { Hono } from "hono"; import { Type } from "@sinclair/typebox";
     const app = new Hono(); app.get("/", (c) => c.text("x")); export const schema = Type.Object({});`,
  ),
};

/** Those that cannot be loaded at all. */
export const LOST: Record<string, string> = {
  thrower: `throw new Error("not today");`,
  waiter: `await new Promise(() => {}); export default { name: "waiter" };`,
  nothing: "export const name = 1;",
};

export const UNPARSABLE = { syntax: `export default { name: "syntax", ` };

/** Those that misbehave in an agent's session. */
export const BAD_IN_SESSION: Record<string, string> = {
  registrar: `export default { name: "registrar", registerTools(pi, client) {
    ${work("registrar")}
    throw new Error("in the middle of it"); } };`,
  tools: `export default { name: "tools", registerTools(pi, client) {
    const tool = (name, execute) => pi.registerTool({ name, label: name, description: name, parameters: {}, execute });
    tool("tools_throw", () => { throw new Error("thrown by a tool"); });
    tool("tools_reject", async () => { throw "rejected by a tool"; });
    tool("tools_nothing", async () => undefined);
    tool("tools_error", async () => client.err("an error made by err"));
    tool("tools_forget", async () => { void Promise.reject(new Error("forgotten")); return client.ok("fine"); });
    tool("tools_server", async () => { const { Database } = await import("bun:sqlite"); new Database("x"); return client.ok(""); });
    tool("tools.dotted name", async () => client.ok("dots are fine"));
    tool("tools_throw", async () => client.ok("the second of its name"));
    pi.registerTool({ label: "no name" }); } };`,
  fields: `export default { name: "fields", registerTools(pi, client) {
    pi.registerTool(null);
    pi.registerTool({ name: "fields_work", label: 7, description: 7, parameters: 7, promptSnippet: 7, promptGuidelines: 5,
      prepareArguments: 7, renderCall: () => null, renderResult: 7, executionMode: 7, async execute(_id, _params, _signal, onUpdate) {
        onUpdate(null); return { content: [null, { type: "text", text: { a: 1 } }], details: { n: 1n } }; } }); } };`,
  behaviors: `export default { name: "behaviors", registerBehaviors(pi, client) {
    pi.on("session_start", () => { throw new Error("thrown by a handler"); });
    pi.on("agent_start", async () => { setTimeout(() => { throw new Error("thrown by a timer"); }, 1); });
    pi.on("agent_start", async () => { setInterval(() => {}, 1000); });
    pi.on("turn_end", async () => { void Promise.reject(new Error("rejected and forgotten")); });
    pi.on("before_agent_start", async () => { throw new Error("no answer"); });
    pi.on("tool_call", async () => { throw new Error("thrown before a tool"); });
  } };`,
  hanger: `export default { name: "hanger", registerBehaviors(pi, client) {
    for (const event of ["session_start", "agent_start", "turn_end", "agent_end", "session_shutdown"]) {
      pi.on(event, () => new Promise(() => {}));
    } } };`,
  widgets: `export default { name: "widgets", widget: { getLines() { throw new Error("thrown by a widget"); } } };`,
  staller: `export default { name: "staller", widget: { getLines: () => new Promise(() => {}) } };`,
  painter: `export default { name: "painter", widget: { async getLines() { return ["\\u001b[2Jred\\nalert", 7]; } } };`,
};
