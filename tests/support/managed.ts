/** A listening Reef over a sandbox, with the real services manager in it. */
import { symlinkSync } from "node:fs";
import { join, resolve } from "node:path";
import { readConfig } from "../../src/core/config.js";
import { LogBook, type LogLine } from "../../src/core/log.js";
import { type RunningServer, type ServerOptions, startServer } from "../../src/core/server.js";
import type { Json } from "../../src/core/types.js";
import { type Files, Sandbox, TOKEN } from "./sandbox.js";

const MANAGER = resolve(import.meta.dir, "..", "..", "services", "services");

export interface ApiReply<T = Json> {
  status: number;
  data: T;
}

export interface Managed {
  reef: RunningServer;
  sandbox: Sandbox;
  lines: LogLine[];
  url: string;
  /** An authorized request over the network, with its body decoded where it is JSON. */
  api<T = Json>(method: string, path: string, body?: unknown): Promise<ApiReply<T>>;
  deploy(name: string): Promise<ApiReply>;
  /** Stops the server and keeps the folders. */
  stop(): Promise<void>;
  /** Stops the server and removes the folders. */
  end(): Promise<void>;
}

export const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };

/** `sandbox` continues in the folders of a server that was stopped. */
export async function startManaged(
  services: Files = {},
  options: Partial<ServerOptions> & { sandbox?: Sandbox } = {},
): Promise<Managed> {
  const { sandbox: given, ...server } = options;
  const sandbox = given ?? new Sandbox(services);
  if (!given) symlinkSync(MANAGER, join(sandbox.servicesDir, "services"));
  const lines: LogLine[] = [];
  const { servicesDir, dataDir } = sandbox;
  const reef = await startServer({
    servicesDir,
    dataDir,
    port: 0,
    authToken: TOKEN,
    logs: new LogBook((line) => lines.push(line)),
    config: readConfig({ REEF_DRAIN_TIMEOUT: "2000" }),
    ...server,
  });
  await reef.settled;
  const { url } = reef;
  const api = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(url + path, {
      method,
      headers: AUTHORIZED,
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    const json = response.headers.get("content-type")?.startsWith("application/json");
    return { status: response.status, data: json ? JSON.parse(text) : text };
  };
  return {
    reef,
    sandbox,
    lines,
    url,
    api,
    deploy: (name) => api("POST", "/services/deploy", { name }),
    stop: () => reef.stop(),
    end: async () => {
      await reef.stop();
      sandbox.remove();
    },
  };
}
