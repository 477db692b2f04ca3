/** A listening Reef for tests, with the services that the tests name. */
import { symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { LogBook } from "../../src/core/log.js";
import { type RunningServer, startServer } from "../../src/core/server.js";
import type { Json } from "../../src/core/types.js";
import { type Files, Sandbox, TOKEN } from "../support/sandbox.js";

const root = resolve(import.meta.dir, "..", "..");

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
  write(files: Files): Promise<void>;
  stop(): Promise<void>;
}

/** Starts a Reef with links to these folders of the checkout, e.g. `"services/agent"`, and further files. */
export async function startReef(folders: string[], files: Files = {}): Promise<TestReef> {
  const sandbox = new Sandbox(files);
  const { dataDir, servicesDir } = sandbox;
  for (const folder of folders)
    symlinkSync(join(root, folder), join(servicesDir, folder.split("/").at(-1) ?? ""));
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
      return sandbox.write(`extension-${++written}.js`, await response.text());
    },
    write: async (contents) => sandbox.services(contents),
    stop: async () => {
      await server.stop();
      if (saved === undefined) delete process.env.REEF_DATA_DIR;
      else process.env.REEF_DATA_DIR = saved;
      sandbox.remove();
    },
  };
}
