/** The real server, as a child process over a sandbox or other folders. */
import { existsSync, readFileSync } from "node:fs";
import { delimiter, join } from "node:path";
import { eventually, type Sandbox, TOKEN } from "./sandbox.js";

const SERVE = join(import.meta.dir, "..", "..", "scripts", "serve.sh");
const MAIN = join(import.meta.dir, "..", "..", "src", "main.ts");

/** Where commands are on the machine that the README asks for: it has no `bun` but the checkout's. */
export const PATH_WITHOUT_BUN = (process.env.PATH ?? "")
  .split(delimiter)
  .filter((folder) => !existsSync(join(folder, "bun")))
  .join(delimiter);

/** Variables of the tests' own process that would change what a server does. */
const UNSET = ["VERS_AUTH_TOKEN", "VERS_INFRA_URL", "PORT", "REEF_HOST", "REEF_CHECK", "REEF_INIT_TIMEOUT"];

export interface ProcessOptions {
  /** Added to the environment; `undefined` removes a variable. The token is {@link TOKEN} unless given. */
  env?: Record<string, string | undefined>;
  args?: string[];
  /** The server's file; this checkout's unless given. */
  main?: string;
  /** Start it as `nohup` does. */
  ignoresHangup?: boolean;
}

/** Where the process runs, and its folders. */
export type ProcessFolders = Pick<Sandbox, "root" | "servicesDir" | "dataDir">;

export class ReefProcess {
  /** Everything the process has written so far, both streams together. */
  output = "";
  readonly child: Bun.Subprocess<"ignore", "pipe", "pipe">;

  constructor(folders: ProcessFolders, options: ProcessOptions = {}) {
    const { env = {}, args = [], main = MAIN, ignoresHangup = false } = options;
    const inherited = { ...process.env };
    for (const name of UNSET) delete inherited[name];
    const ignoring = ignoresHangup ? ["sh", "-c", 'trap "" HUP; exec "$@"', "sh"] : [];
    this.child = Bun.spawn([...ignoring, "sh", SERVE, main, ...args], {
      cwd: folders.root,
      env: {
        ...inherited,
        PORT: "0",
        VERS_AUTH_TOKEN: TOKEN,
        REEF_SERVICES_DIR: folders.servicesDir,
        REEF_DATA_DIR: folders.dataDir,
        ...env,
      },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    for (const stream of [this.child.stdout, this.child.stderr]) void this.#collect(stream);
  }

  async #collect(stream: ReadableStream<Uint8Array>): Promise<void> {
    const decoder = new TextDecoder();
    for await (const chunk of stream) this.output += decoder.decode(chunk, { stream: true });
  }

  /** Resolves once it listens; rejects with its output when it ends instead. */
  async listening(): Promise<this> {
    await eventually(() => this.output.includes("listens on") || this.child.exitCode !== null, "listening");
    if (this.child.exitCode !== null) throw new Error(`it ended with ${this.child.exitCode}: ${this.output}`);
    await eventually(() => this.output.includes("Try:"), "the hint how to call it");
    return this;
  }

  /** Resolves once these services answer: on a slow machine some join after it listens. */
  async serving(...names: string[]): Promise<this> {
    await this.listening();
    await eventually(
      async () => {
        const { services } = (await (await this.call("/health")).json()) as { services: string[] };
        return names.every((name) => services.includes(name));
      },
      `serving ${names.join(", ")}`,
    );
    return this;
  }

  get url(): string {
    return /listens on (\S+)/.exec(this.output)?.[1] as string;
  }

  get port(): number {
    return Number(new URL(this.url).port);
  }

  call(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = new Headers(init.headers);
    if (!headers.has("authorization")) headers.set("authorization", `Bearer ${TOKEN}`);
    return fetch(this.url + path, { ...init, headers });
  }

  /** Sends a signal and resolves with the exit code, or the signal's name when that ended it. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | string> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.child.kill(signal);
    await this.child.exited;
    return this.child.signalCode ?? (this.child.exitCode as number);
  }
}

/** Whether a process is there and has not ended. */
export function lives(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) [ZX] /.test(readFileSync(path, "utf8"));
}

/** What a connection received until the other side closed it, byte for byte as Latin-1. */
export async function raw(port: number, request: string | string[]): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  let received = "";
  const socket = await Bun.connect({
    hostname: "127.0.0.1",
    port,
    socket: {
      data: (_socket, data) => {
        received += data.toString("latin1");
      },
      close: () => resolve(received),
      error: () => resolve(received),
    },
  });
  for (const part of [request].flat()) {
    socket.write(Buffer.from(part, "latin1"));
    socket.flush();
    await Bun.sleep(0);
  }
  return promise;
}
