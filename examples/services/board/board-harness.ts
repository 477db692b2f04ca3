/** What the board's tests share: a board, and everything it announces. */
import { createTestHarness, type TestHarness } from "../../../src/core/testing.js";
import type { Json, ServiceContext } from "../../../src/core/types.js";
import { createBoard } from "./index.js";
import type { Status, Task } from "./task.js";

/** A board and what it announced since `heard` was last emptied. */
export interface BoardHarness {
  t: TestHarness;
  heard: Array<[event: string, data: Json]>;
  send(
    method: string,
    path: string,
    body?: unknown,
    headers?: Record<string, string>,
  ): Promise<{ status: number; data: Json }>;
  /** A new task; nothing is left of its announcement. */
  newTask(fields?: Record<string, unknown>): Promise<Task>;
  /** A task that was brought into a status the way its users would. */
  taskIn(status: Status, fields?: Record<string, unknown>): Promise<Task>;
}

export async function createBoardHarness(): Promise<BoardHarness> {
  const heard: BoardHarness["heard"] = [];
  const listener = {
    name: "listener",
    init: ({ events }: ServiceContext) => {
      for (const name of ["board:task_created", "board:task_updated", "board:task_deleted", "reef:event"]) {
        events.on<string>(name, (data) => void heard.push([name, data]));
      }
    },
  };
  const t = await createTestHarness({ services: [createBoard(), listener] });
  const count = (prefix: string) => heard.filter(([event]) => event.startsWith(prefix)).length;
  const send: BoardHarness["send"] = async (method, path, body, headers) => {
    const reply = await t.json(`/board${path}`, { method, auth: true, body, headers });
    // What is announced to people arrives once it is stored.
    while (count("reef:") < count("board:")) await Bun.sleep(0);
    return reply;
  };
  const newTask: BoardHarness["newTask"] = async (fields = {}) => {
    const { data } = await send("POST", "/tasks", { title: "Paint", createdBy: "ada", ...fields });
    heard.length = 0;
    return data;
  };
  const taskIn: BoardHarness["taskIn"] = async (status, fields) => {
    const { id } = await newTask(fields);
    if (status === "in_review" || status === "done") await send("POST", `/tasks/${id}/review`);
    if (status === "done") await send("POST", `/tasks/${id}/approve`);
    else if (status !== "open" && status !== "in_review") await send("PATCH", `/tasks/${id}`, { status });
    heard.length = 0;
    return (await send("GET", `/tasks/${id}`)).data;
  };
  return { t, heard, send, newTask, taskIn };
}
