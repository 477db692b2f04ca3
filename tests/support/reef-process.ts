import { join } from "node:path";
import type { Json } from "../../src/core/types.js";
import { eventually } from "./sandbox.js";

/** A Reef in a process of its own, as an operator starts it. */
export interface ReefProcess {
  url: string;
  /** Milliseconds from the start of the process to the first answer of the feed. */
  startedIn: number;
  call(path: string, body?: unknown): Promise<{ status: number; data: Json }>;
  /** Ends it at once, as a power cut would. */
  kill(): Promise<void>;
}

const root = join(import.meta.dir, "..", "..");

/** Starts Reef on a data folder and waits until its feed answers. */
export async function startReef(dataDir: string, env: Record<string, string> = {}): Promise<ReefProcess> {
  const before = performance.now();
  const child = Bun.spawn([process.execPath, join(root, "src", "main.ts")], {
    cwd: root,
    env: {
      ...process.env,
      PORT: "0",
      REEF_DATA_DIR: dataDir,
      REEF_SERVICES_DIR: join(root, "services"),
      VERS_AUTH_TOKEN: "crash-token",
      ...env,
    },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const kill = async () => {
    child.kill("SIGKILL");
    await child.exited;
  };
  try {
    const url = await announcedUrl(child.stdout);
    const call: ReefProcess["call"] = async (path, body) => {
      const response = await fetch(url + path, {
        method: body === undefined ? "GET" : "POST",
        headers: { authorization: "Bearer crash-token", "content-type": "application/json" },
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      return { status: response.status, data: await response.json() };
    };
    // Reef listens while services are still being loaded.
    await eventually(async () => (await call("/feed/stats")).status === 200, "the feed");
    return { url, startedIn: performance.now() - before, call, kill };
  } catch (error) {
    await kill();
    throw error;
  }
}

async function announcedUrl(stdout: ReadableStream<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let output = "";
  for await (const bytes of stdout) {
    output += decoder.decode(bytes, { stream: true });
    const url = /listens on (http:\S+)/.exec(output)?.[1];
    if (url) return url;
  }
  throw new Error(`Reef did not start: ${output}`);
}
