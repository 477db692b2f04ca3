/** A listening Reef for tests, with the services that the tests name. */
import { mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { LogBook } from "../../src/core/log.js";
import { type RunningServer, startServer } from "../../src/core/server.js";
import type { Json } from "../../src/core/types.js";

const root = resolve(import.meta.dir, "..", "..");
export const TOKEN = "test-token";

export interface TestReef {
  url: string;
  server: RunningServer;
  servicesDir: string;
  /** What an agent's environment says about this Reef. */
  env: Record<string, string>;
  fetch(path: string, init?: RequestInit): Promise<Response>;
  json(path: string): Promise<Json>;
  /** Writes the present extension file and returns its path. */
  extension(query?: string): Promise<string>;
  /** Writes files of a service; paths below the services folder. */
  write(files: Record<string, string>): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a Reef with links to these folders of the checkout, e.g. `"services/agent"`, and further files. */
export async function startReef(folders: string[], files: Record<string, string> = {}): Promise<TestReef> {
  const scratch = mkdtempSync(join(tmpdir(), "reef-server-"));
  const servicesDir = join(scratch, "services");
  mkdirSync(servicesDir);
  for (const folder of folders)
    symlinkSync(join(root, folder), join(servicesDir, folder.split("/").at(-1) ?? ""));
  const write = async (contents: Record<string, string>) => {
    for (const [path, text] of Object.entries(contents)) {
      mkdirSync(dirname(join(servicesDir, path)), { recursive: true });
      await Bun.write(join(servicesDir, path), text);
    }
  };
  await write(files);
  const dataDir = join(scratch, "data");
  const saved = process.env.REEF_DATA_DIR;
  process.env.REEF_DATA_DIR = dataDir;
  const server = await startServer({
    port: 0,
    host: "127.0.0.1",
    servicesDir,
    dataDir,
    authToken: TOKEN,
    logs: new LogBook(() => undefined),
    patienceMs: 10_000,
  });
  await server.settled;
  const fetchFrom: TestReef["fetch"] = (path, init = {}) =>
    fetch(server.url + path, { ...init, headers: { authorization: `Bearer ${TOKEN}`, ...init.headers } });
  let written = 0;
  return {
    url: server.url,
    server,
    servicesDir,
    env: { VERS_INFRA_URL: server.url, VERS_AUTH_TOKEN: TOKEN, VERS_AGENT_NAME: "ada" },
    fetch: fetchFrom,
    json: async (path) => (await fetchFrom(path)).json(),
    extension: async (query = "") => {
      const response = await fetchFrom(`/extension.js${query}`);
      if (!response.ok) throw new Error(`GET /extension.js: ${response.status} ${await response.text()}`);
      const path = join(scratch, `extension-${++written}.js`);
      await Bun.write(path, await response.text());
      return path;
    },
    write,
    stop: async () => {
      await server.stop();
      if (saved === undefined) delete process.env.REEF_DATA_DIR;
      else process.env.REEF_DATA_DIR = saved;
      rmSync(scratch, { recursive: true, force: true });
    },
  };
}
