/**
 * Reloads under traffic: nobody notices. `REEF_RELOADS`, `REEF_CLIENTS` and `REEF_WRITE_CYCLES` raise the sizes.
 */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { AUTHORIZED, type Managed, startManaged } from "./support/managed.js";

const RELOADS = Number(process.env.REEF_RELOADS ?? 25);
const CLIENTS = Number(process.env.REEF_CLIENTS ?? 12);
const CYCLES = Number(process.env.REEF_WRITE_CYCLES ?? 40);

let m: Managed;
beforeAll(async () => {
  m = await startManaged({ "busy/index.ts": busy(0), "notes/index.ts": NOTES, "notes/store.ts": STORE });
});
afterAll(() => m.end());

/** Quick and slow routes, streams that take their time, each carrying the version that began it. */
function busy(version: number): string {
  return `import { Hono } from "hono";
import { streamSSE } from "hono/streaming";
const version = ${version};
const routes = new Hono();
const padding = "x".repeat(1024);
routes.get("/", (c) => c.json({ version }));
routes.post("/echo", async (c) => c.json({ version, body: await c.req.json() }));
routes.get("/slow", async (c) => { await Bun.sleep(40); return c.json({ version }); });
routes.get("/events", (c) => streamSSE(c, async (stream) => {
  for (let n = 0; n < 20; n++) { await stream.writeSSE({ data: version + ":" + n }); await stream.sleep(15); }
  await stream.writeSSE({ data: version + ":end" });
}));
routes.get("/bytes", () => {
  let n = 0;
  return new Response(new ReadableStream({
    async pull(controller) {
      if (n++ === 20) { controller.enqueue(new TextEncoder().encode("end")); controller.close(); return; }
      await Bun.sleep(10);
      controller.enqueue(new TextEncoder().encode(padding));
    },
  }), { headers: { "content-type": "application/octet-stream" } });
});
export default { name: "busy", routes };
`;
}

/** A store as services write it by hand: it reads its file in the constructor and saves 100 ms after a change. */
const STORE = `import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
export class NoteStore {
  private notes = new Map<string, { id: string; text: string }>();
  private timer: ReturnType<typeof setTimeout> | null = null;
  constructor(private file = join(process.env.REEF_DATA_DIR ?? "data", "notes.json")) {
    if (!existsSync(file)) return;
    for (const note of JSON.parse(readFileSync(file, "utf8")).notes) this.notes.set(note.id, note);
  }
  add(text: string) {
    const note = { id: crypto.randomUUID(), text };
    this.notes.set(note.id, note);
    this.timer ??= setTimeout(() => this.flush(), 100);
    return note;
  }
  all() { return [...this.notes.values()]; }
  flush() {
    if (this.timer) clearTimeout(this.timer);
    this.timer = null;
    mkdirSync(dirname(this.file), { recursive: true });
    writeFileSync(this.file, JSON.stringify({ notes: this.all() }));
  }
}
`;

const NOTES = `import { Hono } from "hono";
import { NoteStore } from "./store.js";
const store = new NoteStore();
const routes = new Hono();
routes.post("/", async (c) => c.json(store.add((await c.req.json()).text), 201));
routes.get("/", (c) => c.json({ notes: store.all() }));
export default { name: "notes", routes, store };
`;

const get = (path: string, init: RequestInit = {}) => fetch(m.url + path, { ...init, headers: AUTHORIZED });

type Visit = () => Promise<string | undefined>;

/** Each resolves with what went wrong, or with nothing. */
const visits: Record<string, Visit> = {
  get: async () => {
    const response = await get("/busy");
    const { version } = (await response.json()) as { version?: number };
    return response.status === 200 && version !== undefined ? undefined : `status ${response.status}`;
  },
  post: async () => {
    const sent = { text: "y".repeat(500) };
    const response = await get("/busy/echo", { method: "POST", body: JSON.stringify(sent) });
    const { body } = (await response.json()) as { body?: typeof sent };
    return body?.text === sent.text ? undefined : `status ${response.status}`;
  },
  slow: async () => {
    const response = await get("/busy/slow");
    await response.text();
    return response.status === 200 ? undefined : `status ${response.status}`;
  },
  events: async () => {
    const text = await (await get("/busy/events")).text();
    const seen = [...text.matchAll(/^data: (\d+):(\w+)$/gm)];
    const whole =
      seen.length === 21 && seen.at(-1)?.[2] === "end" && new Set(seen.map(([, v]) => v)).size === 1;
    return whole ? undefined : `stream of ${seen.length} events`;
  },
  bytes: async () => {
    const text = await (await get("/busy/bytes")).text();
    return text.length === 20 * 1024 + 3 && text.endsWith("end")
      ? undefined
      : `stream of ${text.length} bytes`;
  },
};

test(`${RELOADS} reloads under ${CLIENTS} clients break no request and no stream`, async () => {
  const counts: Record<string, number> = {};
  const broken: string[] = [];
  let running = true;
  const kinds = Object.keys(visits);
  const client = async (id: number) => {
    const kind = kinds[id % kinds.length] as string;
    while (running) {
      try {
        const wrong = await visits[kind]?.();
        if (wrong) broken.push(`${kind}: ${wrong}`);
      } catch (error) {
        broken.push(`${kind}: ${error}`);
      }
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
  };
  const clients = Array.from({ length: CLIENTS }, (_, id) => client(id));
  for (let version = 1; version <= RELOADS; version++) {
    m.sandbox.services({ "busy/index.ts": busy(version) });
    const { status, data } = await m.api("POST", "/services/reload/busy");
    expect({ status, data }).toEqual({ status: 200, data: { name: "busy", action: "updated" } });
    expect((await m.api("GET", "/busy")).data).toEqual({ version });
  }
  running = false;
  await Promise.all(clients);
  if (process.env.REEF_RELOADS) console.log("visits", counts);
  expect(broken).toEqual([]);
  for (const kind of kinds.slice(0, CLIENTS)) expect(counts[kind]).toBeGreaterThan(0);
}, 600_000);

test(`${CYCLES} times a write and a reload at once lose nothing that was acknowledged`, async () => {
  const acknowledged = new Set<string>();
  const write = async (text: string) => {
    const { status, data } = await m.api("POST", "/notes", { text });
    expect(status).toBe(201);
    acknowledged.add(data.id);
  };
  for (let cycle = 0; cycle < CYCLES; cycle++) {
    await write(`before ${cycle}`);
    const reloading = m.api("POST", "/services/reload/notes");
    await Promise.all([write(`during ${cycle}`), write(`during ${cycle}, again`), reloading]);
    expect((await reloading).status).toBe(200);
    const { data } = await m.api("GET", "/notes");
    const present = new Set(data.notes.map(({ id }: { id: string }) => id));
    expect([...acknowledged].filter((id) => !present.has(id))).toEqual([]);
  }
  await m.stop();
  m = await startManaged({}, { sandbox: m.sandbox });
  expect((await m.api("GET", "/notes")).data.notes).toHaveLength(acknowledged.size);
}, 600_000);
