/** A whole Reef for tests, on a port of its own, with the installer and the services manager. */
import { lstatSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import type { RunningServer } from "../../../src/core/server.js";
import { type ApiReply, startListening } from "../../../tests/support/listening.js";
import { Sandbox } from "../../../tests/support/sandbox.js";

export interface InstanceOptions {
  /** Further environment variables for its settings. */
  env?: Record<string, string>;
  /** Built-in services beside the installer and the services manager. */
  builtIns?: string[];
  token?: string;
}

export interface Instance {
  url: string;
  token: string;
  servicesDir: string;
  dataDir: string;
  reef: RunningServer;
  /** Everything that was logged. */
  readonly log: string[];
  request(method: string, path: string, body?: unknown): Promise<ApiReply>;
  install(body: object): Promise<ApiReply>;
  post(path: string, body: object): Promise<ApiReply>;
  stop(): Promise<void>;
  /** Stops it and removes its folders. */
  close(): Promise<void>;
}

/** Starts an instance; with `sandbox` on the folders that an earlier one left. */
export async function startInstance(
  options: InstanceOptions = {},
  sandbox = new Sandbox(),
): Promise<Instance> {
  const { token = "secret-of-this-instance", builtIns = [], env } = options;
  const links = ["installer", "services", ...builtIns].map((name) => `services/${name}`);
  const { reef, url, lines, api, stop, end } = await startListening({
    sandbox,
    links,
    env,
    authToken: token,
    patienceMs: 20_000,
  });
  const post = (path: string, body: object) => api("POST", path, body);
  return {
    url,
    token,
    servicesDir: sandbox.servicesDir,
    dataDir: sandbox.dataDir,
    reef,
    get log() {
      return lines.map((line) => JSON.stringify(line));
    },
    request: api,
    install: (body) => post("/installer/install", body),
    post,
    stop,
    close: end,
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
