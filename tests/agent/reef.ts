/** A listening Reef for tests, with the services that the tests name, as an agent finds it. */
import type { RunningServer } from "../../src/core/server.js";
import type { Json } from "../../src/core/types.js";
import { startListening } from "../support/listening.js";
import { type Files, Sandbox } from "../support/sandbox.js";

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
  const { reef, url, token, fetch, end } = await startListening({
    sandbox,
    links: folders,
    patienceMs: 10_000,
  });
  let written = 0;
  return {
    url,
    server: reef,
    servicesDir: sandbox.servicesDir,
    env: { VERS_INFRA_URL: url, VERS_AUTH_TOKEN: token, VERS_AGENT_NAME: "ada" },
    fetch,
    json: async (path) => (await fetch(path)).json(),
    extension: async (query = "") => {
      const response = await fetch(`/extension.js${query}`);
      if (!response.ok) throw new Error(`GET /extension.js: ${response.status} ${await response.text()}`);
      return sandbox.write(`extension-${++written}.js`, await response.text());
    },
    write: async (contents) => sandbox.services(contents),
    stop: end,
  };
}
