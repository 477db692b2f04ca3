/** The FleetClient: how tools, behaviours and widgets reach Reef from an agent's process. Runs on Node and Bun. */
import { readAgentEnvironment } from "./config.js";
import type { FleetClient, Json, ToolResult } from "./types.js";

export interface FleetClientOptions {
  /** Environment to read; default the process's own, at each call. */
  env?: Record<string, string | undefined>;
  /** Deadline of one attempt, in milliseconds; default 30 000. */
  timeoutMs?: number;
  /** Aborts every call, e.g. when the agent's session ends. */
  signal?: AbortSignal;
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
}

/** A failed call; `message` is `METHOD path (status): what the server said`. */
export class FleetError extends Error {
  override name = "FleetError";
  constructor(
    message: string,
    /** HTTP status, or 0 when no reply came. */
    readonly status: number,
  ) {
    super(message);
  }
}

const DEFAULT_TIMEOUT_MS = 30_000;
const RETRY_AFTER_MS = 100;
/** Methods whose repetition changes nothing (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);
const WORTH_A_RETRY = new Set([0, 502, 503, 504]);
const ERROR_RESULT = Symbol.for("reef.errorResult");

/** Whether a tool result was made with `client.err()` or `client.noUrl()`. */
export function isErrorResult(result: unknown): boolean {
  return typeof result === "object" && result !== null && ERROR_RESULT in result;
}

/** A client for the control plane named by `VERS_INFRA_URL` and `VERS_AUTH_TOKEN`. */
export function createFleetClient(options: FleetClientOptions = {}): FleetClient {
  const read = () => readAgentEnvironment(options.env ?? process.env);
  const send = options.fetch ?? ((url, init) => fetch(url, init));

  const attempt = async (method: string, path: string, body: unknown): Promise<Json> => {
    const env = read();
    const deadline = AbortSignal.timeout(options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    const signal = options.signal ? AbortSignal.any([deadline, options.signal]) : deadline;
    const headers: Record<string, string> = {
      accept: "application/json",
      "x-reef-agent-name": env.agentName,
    };
    if (env.authToken) headers.authorization = `Bearer ${env.authToken}`;
    if (env.vmId) headers["x-reef-vm-id"] = env.vmId;
    if (env.agentCategory) headers["x-reef-category"] = env.agentCategory;
    if (body !== undefined) headers["content-type"] = "application/json";
    const fail = (status: number, why: string) =>
      new FleetError(`${method} ${path} (${status || "no reply"}): ${why}`, status);
    let response: Response;
    let text: string;
    try {
      response = await send(env.baseUrl + path, {
        method,
        headers,
        signal,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      text = await response.text();
    } catch (error) {
      if (options.signal?.aborted) throw fail(0, "aborted");
      if (deadline.aborted) throw fail(0, `no reply within ${options.timeoutMs ?? DEFAULT_TIMEOUT_MS} ms`);
      throw fail(0, error instanceof Error ? error.message : String(error));
    }
    const isJson = /\bjson\b/.test(response.headers.get("content-type") ?? "");
    let data: Json = text;
    if (isJson && text !== "") {
      try {
        data = JSON.parse(text);
      } catch {
        // A reply cut short or a proxy's invention; the status may be fine, the content is not.
        throw fail(response.status, "the reply is not valid JSON");
      }
    }
    if (!response.ok) throw fail(response.status, errorText(data) || response.statusText || "failed");
    return data;
  };

  const api = async (method: string, path: string, body?: unknown): Promise<Json> => {
    const verb = method.toUpperCase();
    if (read().baseUrl === "") throw new FleetError(`${verb} ${path}: VERS_INFRA_URL is not set`, 0);
    const target = path.startsWith("/") ? path : `/${path}`;
    try {
      return await attempt(verb, target, body);
    } catch (error) {
      const again = error instanceof FleetError && IDEMPOTENT.has(verb) && WORTH_A_RETRY.has(error.status);
      if (!again || options.signal?.aborted) throw error;
    }
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, RETRY_AFTER_MS);
      if (typeof timer === "object") timer.unref();
    });
    return attempt(verb, target, body);
  };

  return {
    api,
    getBaseUrl: () => read().baseUrl,
    get agentName() {
      return read().agentName;
    },
    get vmId() {
      return read().vmId;
    },
    get agentRole() {
      return read().agentRole;
    },
    get agentCategory() {
      return read().agentCategory;
    },
    get isChildAgent() {
      return read().isChildAgent;
    },
    ok: (text, details = {}) => ({ content: [{ type: "text", text }], details }),
    err: errorResult,
    noUrl: () => errorResult("VERS_INFRA_URL is not set: this agent has no control plane to talk to."),
  };
}

function errorResult(text: string): ToolResult {
  const result: ToolResult = {
    content: [{ type: "text", text: `Error: ${text}` }],
    details: { error: text },
    isError: true,
  };
  Object.defineProperty(result, ERROR_RESULT, { value: true });
  return result;
}

/** What the server said went wrong: its `error`, or the start of whatever else it sent. */
function errorText(data: Json): string {
  const said = typeof data === "object" && data !== null ? (data as { error?: unknown }).error : data;
  if (typeof said === "string") return said.slice(0, 500).trim();
  return said === undefined ? "" : JSON.stringify(said).slice(0, 500);
}
