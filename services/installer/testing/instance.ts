/** A whole Reef for tests, on a port of its own, with the installer and the services manager. */
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { readConfig } from "../../../src/core/config.js";
import { LogBook } from "../../../src/core/log.js";
import { type RunningServer, startServer } from "../../../src/core/server.js";
import type { Json } from "../../../src/core/types.js";

const BUILT_IN = resolve(import.meta.dir, "..", "..");

export interface InstanceOptions {
  /** Further environment variables for its settings. */
  env?: Record<string, string>;
  /** Built-in services beside the installer and the services manager. */
  builtIns?: string[];
  token?: string;
}

export interface Reply {
  status: number;
  data: Json;
}

export interface Instance {
  url: string;
  token: string;
  servicesDir: string;
  dataDir: string;
  reef: RunningServer;
  /** Everything that was logged. */
  log: string[];
  request(method: string, path: string, body?: unknown): Promise<Reply>;
  install(body: object): Promise<Reply>;
  post(path: string, body: object): Promise<Reply>;
  stop(): Promise<void>;
  /** Stops it and removes its folders. */
  close(): Promise<void>;
}

/** Starts an instance; with `root` on the folders that an earlier one left. */
export async function startInstance(options: InstanceOptions = {}, root = makeRoot()): Promise<Instance> {
  const { token = "secret-of-this-instance" } = options;
  const servicesDir = join(root, "services");
  const dataDir = join(root, "data");
  mkdirSync(servicesDir, { recursive: true });
  for (const name of ["installer", "services", ...(options.builtIns ?? [])]) {
    const link = join(servicesDir, name);
    if (!lstatSync(link, { throwIfNoEntry: false })) symlinkSync(join(BUILT_IN, name), link);
  }
  const log: string[] = [];
  const env = { REEF_SERVICES_DIR: servicesDir, REEF_DATA_DIR: dataDir, PORT: "0", ...options.env };
  const restore = setEnvironment(env);
  let reef: RunningServer;
  try {
    const logs = new LogBook((line) => log.push(typeof line === "string" ? line : JSON.stringify(line)));
    reef = await startServer({
      config: readConfig({ ...process.env }),
      authToken: token,
      logs,
      patienceMs: 20_000,
    });
    await reef.settled;
  } finally {
    restore();
  }
  const request = async (method: string, path: string, body?: unknown): Promise<Reply> => {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (body !== undefined) headers["content-type"] = "application/json";
    const init = { method, headers, body: body === undefined ? undefined : JSON.stringify(body) };
    const reply = await fetch(reef.url + path, init);
    const text = await reply.text();
    return {
      status: reply.status,
      data: reply.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text,
    };
  };
  const stop = async () => {
    await reef.stop();
  };
  return {
    url: reef.url,
    token,
    servicesDir,
    dataDir,
    reef,
    log,
    request,
    install: (body) => request("POST", "/installer/install", body),
    post: (path, body) => request("POST", path, body),
    stop,
    close: async () => {
      await stop();
      rmSync(root, { recursive: true, force: true });
    },
  };
}

export function makeRoot(): string {
  return mkdtempSync(join(tmpdir(), "reef-instance-"));
}

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

/** Every name, kind, mode and byte of a folder, to be compared before and after. Links are not followed. */
export function snapshot(dir: string): string[] {
  const lines: string[] = [];
  const visit = (below: string) => {
    for (const name of readdirSync(join(dir, below)).sort()) {
      const path = below === "" ? name : `${below}/${name}`;
      const stat = lstatSync(join(dir, path));
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isSymbolicLink()) lines.push(`${path} -> ${readlinkSync(join(dir, path))}`);
      else if (stat.isDirectory()) {
        lines.push(`${path}/ ${mode}`);
        visit(path);
      } else lines.push(`${path} ${mode} ${Bun.hash(readFileSync(join(dir, path)))} ${stat.ino}`);
    }
  };
  visit("");
  return lines;
}
