import { afterEach, beforeEach, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LogBook } from "../../../src/core/log.js";
import { createServer, type ReefServer } from "../../../src/core/server.js";
import type { Json } from "../../../src/core/types.js";
import type { Task } from "./task.js";

const savedDataDir = process.env.REEF_DATA_DIR;
let root: string;
let reef: ReefServer;

beforeEach(async () => {
  root = mkdtempSync(join(tmpdir(), "board-lifecycle-"));
  process.env.REEF_DATA_DIR = join(root, "data");
  mkdirSync(join(root, "services"));
  cpSync(import.meta.dir, join(root, "services", "board"), { recursive: true });
  reef = await start();
});

afterEach(async () => {
  await reef.close(0);
  rmSync(root, { recursive: true, force: true });
  if (savedDataDir === undefined) delete process.env.REEF_DATA_DIR;
  else process.env.REEF_DATA_DIR = savedDataDir;
});

const start = () =>
  createServer({
    servicesDir: join(root, "services"),
    authToken: "secret",
    logs: new LogBook(() => undefined),
  });

async function send(method: string, path: string, body?: unknown): Promise<{ status: number; data: Json }> {
  const reply = await reef.app.request(`/board${path}`, {
    method,
    headers: { authorization: "Bearer secret" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  return { status: reply.status, data: await reply.json() };
}

const create = (title: string) => send("POST", "/tasks", { title, createdBy: "ada" });
const titles = async () => (await send("GET", "/tasks")).data.tasks.map((task: Task) => task.title);

/** Edits the board's code the way its author would. */
function edit(file: string, from: string, to: string): void {
  const path = join(root, "services", "board", file);
  const text = readFileSync(path, "utf8");
  expect(text).toContain(from);
  writeFileSync(path, text.replace(from, to));
}

test("everything is there after a restart", async () => {
  const { data: task } = await create("First");
  await send("POST", `/tasks/${task.id}/notes`, { content: "Half done", author: "ada" });
  const before = (await send("GET", `/tasks/${task.id}`)).data;
  await reef.close(0);
  reef = await start();
  expect((await send("GET", `/tasks/${task.id}`)).data).toEqual(before);
  expect((await create("Second")).status).toBe(201);
  expect(await titles()).toEqual(["First", "Second"]);
});

test("a reload serves the new code of any file and the same tasks", async () => {
  await create("First");
  edit("changes.ts", 'status: "open",', 'status: "blocked",');
  await reef.ctx.loadModule("board");
  expect(await titles()).toEqual(["First"]);
  expect((await create("Second")).data.status).toBe("blocked");
});

test("a reload that fails leaves the board as it was", async () => {
  await create("First");
  edit("index.ts", "store.open();", 'throw new Error("not today");');
  await expect(reef.ctx.loadModule("board")).rejects.toThrow("not today");
  expect((await create("Second")).status).toBe(201);
  expect(await titles()).toEqual(["First", "Second"]);
});

test("reloads lose none of the writes that arrive meanwhile, and announce each once", async () => {
  const announced: string[] = [];
  reef.events.on<string>("board:task_created", ({ task }) => void announced.push(task.title));
  const wanted: string[] = [];
  for (let round = 0; round < 10; round++) {
    const batch = Array.from({ length: 10 }, (_, n) => `${round}-${n}`);
    wanted.push(...batch);
    const [, ...replies] = await Promise.all([reef.ctx.loadModule("board"), ...batch.map(create)]);
    for (const { status } of replies) expect(status).toBe(201);
  }
  expect((await titles()).sort()).toEqual(wanted.sort());
  expect(announced.sort()).toEqual(wanted);
});
