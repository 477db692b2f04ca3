/** Folders for tests: a services folder and a data folder of their own, and a Reef over them. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { readConfig } from "../../src/core/config.js";
import { LogBook, type LogLine } from "../../src/core/log.js";
import { createServer, type ReefServer, type ServerOptions } from "../../src/core/server.js";

/** File contents by path below the sandbox. */
export type Files = Record<string, string>;

/** A temporary folder with `services/` and `data/`. Remove it with `remove()`. */
export class Sandbox {
  readonly root = realpathSync(mkdtempSync(join(tmpdir(), "reef-sandbox-")));
  readonly servicesDir = join(this.root, "services");
  readonly dataDir = join(this.root, "data");

  constructor(services: Files = {}) {
    mkdirSync(this.servicesDir, { recursive: true });
    mkdirSync(this.dataDir, { recursive: true });
    this.services(services);
  }

  /** Writes files below `services/`. */
  services(files: Files): void {
    for (const [path, text] of Object.entries(files)) this.write(join("services", path), text);
  }

  write(path: string, text: string): string {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
    return file;
  }

  remove(): void {
    rmSync(this.root, { recursive: true, force: true });
  }
}

export const TOKEN = "a-token-for-tests";

/** A Reef in this process over a sandbox, with its log lines at hand. */
export interface Reef extends ReefServer {
  sandbox: Sandbox;
  lines: LogLine[];
  /** GET (or what `init` says) with the right token. */
  call(path: string, init?: RequestInit): Promise<Response>;
  /** The body of `call`, as text. */
  text(path: string, init?: RequestInit): Promise<string>;
  /** Closes the server and removes the sandbox. */
  end(): Promise<void>;
}

export async function startReef(services: Files = {}, options: Partial<ServerOptions> = {}): Promise<Reef> {
  const sandbox = new Sandbox(services);
  const lines: LogLine[] = [];
  const { servicesDir, dataDir } = sandbox;
  const reef = await createServer({
    servicesDir,
    dataDir,
    authToken: TOKEN,
    logs: new LogBook((line) => lines.push(line)),
    config: readConfig({ REEF_DRAIN_TIMEOUT: "2000" }),
    ...options,
  });
  const call = async (path: string, init: RequestInit = {}) => {
    const headers = new Headers(init.headers);
    headers.set("authorization", `Bearer ${TOKEN}`);
    return reef.app.request(path, { ...init, headers });
  };
  return {
    ...reef,
    sandbox,
    lines,
    call,
    text: async (path, init) => (await call(path, init)).text(),
    end: async () => {
      await reef.close(0);
      sandbox.remove();
    },
  };
}

/** Source of a service with one route that answers with a fixed text. */
export function answering(name: string, text: string, fields = ""): string {
  return `import { Hono } from "hono";
const routes = new Hono();
routes.get("/", (c) => c.text(${JSON.stringify(text)}));
export default { name: ${JSON.stringify(name)}, routes, ${fields} };
`;
}

/** Polls until `check` is truthy and returns it; fails the test when that never happens. */
export async function eventually<T>(
  check: () => T | Promise<T>,
  what = "the condition",
  patienceMs = 30_000,
): Promise<NonNullable<T>> {
  for (const deadline = Date.now() + patienceMs; Date.now() < deadline; ) {
    const value = await check();
    if (value) return value;
    await Bun.sleep(5);
  }
  throw new Error(`${what} never came true`);
}
