/** A Reef that listens, in this process, over a sandbox: what tests of the API, of agents and of installs share. */
import { lstatSync, symlinkSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import { readConfig } from "../../src/core/config.js";
import { LogBook, type LogLine } from "../../src/core/log.js";
import { type RunningServer, type ServerOptions, startServer } from "../../src/core/server.js";
import type { Json } from "../../src/core/types.js";
import { Sandbox, TOKEN } from "./sandbox.js";

const CHECKOUT = resolve(import.meta.dir, "..", "..");

export interface ListeningOptions extends Partial<ServerOptions> {
  /** The folders; those of a server that was stopped to go on where it ended. */
  sandbox?: Sandbox;
  /** Service folders of the checkout to serve as they are, e.g. `"services/agent"`. */
  links?: readonly string[];
  /** Environment variables for its settings, and for services that read theirs as they start. */
  env?: Record<string, string>;
}

export interface ApiReply<T = Json> {
  status: number;
  data: T;
}

export interface Listening {
  reef: RunningServer;
  sandbox: Sandbox;
  /** Everything that was logged. */
  lines: LogLine[];
  url: string;
  token: string;
  /** An authorized request over the network. */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The same with a JSON body, and with the reply decoded where it is JSON. */
  api<T = Json>(method: string, path: string, body?: unknown): Promise<ApiReply<T>>;
  /** Stops the server and keeps the folders. */
  stop(): Promise<void>;
  /** Stops the server and removes the folders. */
  end(): Promise<void>;
}

/** Starts it, and waits until each of its services serves or has failed. */
export async function startListening(options: ListeningOptions = {}): Promise<Listening> {
  const { sandbox = new Sandbox(), links = [], env = {}, authToken: token = TOKEN, ...server } = options;
  const { servicesDir, dataDir } = sandbox;
  for (const folder of links) {
    const link = join(servicesDir, basename(folder));
    if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(join(CHECKOUT, folder), link);
  }
  const lines: LogLine[] = [];
  const settings = { REEF_SERVICES_DIR: servicesDir, REEF_DATA_DIR: dataDir, ...env };
  const restore = setEnvironment(settings);
  let reef: RunningServer;
  try {
    reef = await startServer({
      servicesDir,
      dataDir,
      port: 0,
      authToken: token,
      logs: new LogBook((line) => lines.push(line)),
      config: readConfig({ REEF_DRAIN_TIMEOUT: "2000", ...settings }),
      ...server,
    });
    await reef.settled;
  } finally {
    restore();
  }
  const fetchFrom: Listening["fetch"] = (path, init = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${token}`);
    return fetch(reef.url + path, { ...init, headers });
  };
  return {
    reef,
    sandbox,
    lines,
    url: reef.url,
    token,
    fetch: fetchFrom,
    api: async (method, path, body) => {
      const json = body === undefined ? {} : { body: JSON.stringify(body), headers: JSON_BODY };
      const reply = await fetchFrom(path, { method, ...json });
      const text = await reply.text();
      const isJson = reply.headers.get("content-type")?.startsWith("application/json");
      return { status: reply.status, data: isJson ? JSON.parse(text) : text };
    },
    stop: () => reef.stop(),
    end: async () => {
      await reef.stop();
      sandbox.remove();
    },
  };
}

const JSON_BODY = { "content-type": "application/json" };

function setEnvironment(values: Record<string, string>): () => void {
  const saved = Object.keys(values).map((key) => [key, process.env[key]] as const);
  Object.assign(process.env, values);
  return () => {
    for (const [key, value] of saved) {
      if (value === undefined) delete process.env[key];
      else process.env[key] = value;
    }
  };
}
