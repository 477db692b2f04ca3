/**
 * The FleetClient, through which tools, behaviours and widgets reach Reef from an agent's process. Runs on Node
 * and Bun.
 */

import { AGENT_NAME, headerText } from "./agent-name.js";
import { tokenProblem } from "./agent-token.js";
import { readAgentEnvironment } from "./config.js";
import { messageOf } from "./errors.js";
import type { CallOptions, FleetClient, Json, ToolResult } from "./types.js";

/** Options of {@link createFleetClient}. */
export interface FleetClientOptions {
  /** The environment, read at each call. Default: the process's own. */
  env?: Record<string, string | undefined>;
  /**
   * The maximum duration of a call including retries, in milliseconds. Without it, calls that do not set one
   * get 30 000. A function is evaluated at each call.
   */
  timeoutMs?: number | (() => number | undefined);
  /** Aborts calls, for instance when the agent's session ends. A function is evaluated at each call. */
  signal?: AbortSignal | (() => AbortSignal | undefined);
  /** Replaces `fetch`, for tests. */
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Called after each attempt with whether the server sent a complete reply in time, whatever its status. */
  onAttempt?: (answered: boolean) => void;
}

/** A failed call. `message` is `METHOD path (status): what the server said`. */
export class FleetError extends Error {
  override name = "FleetError";
  constructor(
    message: string,
    /** HTTP status, or 0 when no reply came. */
    readonly status: number,
    /** The decoded reply; undefined when there was none or it could not be read. */
    readonly body?: Json,
  ) {
    super(message);
  }
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** Longer timers fire at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** The pause before the first retry; doubled before each further one. */
const RETRY_AFTER_MS = 100;
const MAX_RETRY_PAUSE_MS = 1000;
/** Idempotent methods (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);
const RETRIABLE_STATUS = new Set([0, 502, 503, 504]);
const ERROR_RESULT = Symbol.for("reef.errorResult");

/** Whether a tool result was made with `client.err()` or `client.noUrl()`. */
export function isErrorResult(result: unknown): boolean {
  return typeof result === "object" && result !== null && ERROR_RESULT in result;
}

/** The inputs and limits of one call, shared by its attempts. */
interface Call {
  method: string;
  path: string;
  body: unknown;
  signal: AbortSignal | undefined;
  timeoutMs: number;
  deadline: AbortSignal;
}

/**
 * A client for the control plane named by `VERS_INFRA_URL` and `VERS_AUTH_TOKEN`.
 *
 * @example
 * const client = createFleetClient();
 * const tasks = await client.api("GET", "/board/tasks");
 */
export function createFleetClient(options: FleetClientOptions = {}): FleetClient {
  const read = () => readAgentEnvironment(options.env ?? process.env);
  const send = options.fetch ?? ((url, init) => fetch(url, init));

  const attempt = async ({ method, path, body, signal, timeoutMs, deadline }: Call): Promise<Json> => {
    const env = read();
    const fail: Fail = (status, why, reply) =>
      new FleetError(`${method} ${path} (${status || "no response"}): ${why}`, status, reply);
    let response: Response;
    let text: string;
    try {
      response = await send(env.baseUrl + path, {
        method,
        headers: headersOf(env, body !== undefined),
        signal: signal ? AbortSignal.any([deadline, signal]) : deadline,
        body: body === undefined ? undefined : JSON.stringify(body),
      });
      text = await response.text();
      options.onAttempt?.(true);
    } catch (error) {
      if (!signal?.aborted) options.onAttempt?.(false);
      if (signal?.aborted) throw fail(0, "aborted");
      if (deadline.aborted) throw fail(0, `no response within ${timeoutMs} ms`);
      throw fail(0, reasonOf(error));
    }
    return decodeReply(response, text, env.authToken, fail);
  };

  const api = async (
    verb: string,
    target: string,
    body?: unknown,
    { timeoutMs: wanted, untilAnswered = false }: CallOptions = {},
  ): Promise<Json> => {
    const method = String(verb).toUpperCase();
    const path = String(target).startsWith("/") ? String(target) : `/${target}`;
    const refuse = (why: string) => new FleetError(`${method} ${path}: ${why}`, 0);
    if (read().baseUrl === "") throw refuse("VERS_INFRA_URL is not set");
    const problem = tokenProblem(read().authToken);
    if (problem !== undefined) throw refuse(problem);
    const { timeoutMs: limit, signal: given } = options;
    const timeoutMs = timeLimit(wanted, typeof limit === "function" ? limit() : limit, refuse);
    const signal = typeof given === "function" ? given() : given;
    const call = { method, path, body, signal, timeoutMs, deadline: AbortSignal.timeout(timeoutMs) };
    const retries = IDEMPOTENT.has(method) ? (untilAnswered ? Number.POSITIVE_INFINITY : 1) : 0;
    for (let retry = 0; ; retry++) {
      try {
        return await attempt(call);
      } catch (error) {
        const again = error instanceof FleetError && retry < retries && RETRIABLE_STATUS.has(error.status);
        if (!again || signal?.aborted || call.deadline.aborted) throw error;
      }
      const pauseMs = Math.min(RETRY_AFTER_MS * 2 ** retry, MAX_RETRY_PAUSE_MS);
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
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
    noUrl: () => errorResult("VERS_INFRA_URL is not set: this agent is not connected to a control plane."),
  };
}

/** Makes the error for a failed call. */
type Fail = (status: number, why: string, reply?: Json) => FleetError;

/** Decodes a complete reply. Throws for errors, and for replies that cannot be Reef's. */
function decodeReply(response: Response, text: string, authToken: string, fail: Fail): Json {
  const type = response.headers.get("content-type") ?? "";
  let data: Json = text;
  if (/\bjson\b/.test(type) && text !== "") {
    try {
      data = JSON.parse(text);
    } catch {
      // Truncated, or made by a proxy.
      throw fail(response.status, "the response is not valid JSON");
    }
  }
  if (!response.ok) {
    const said = errorText(data) || response.statusText || "failed";
    const isOurs = response.status === 401 && said === "unauthorized";
    throw fail(response.status, isOurs ? `${said}: ${tokenHint(authToken)}` : said, data);
  }
  // HTML comes from a proxy, a login page or another program.
  if (/\btext\/html\b/.test(type))
    throw fail(response.status, "the response is a web page; check the Reef URL");
  // Binary data that was decoded as text contains these.
  if (!/\bjson\b|^text\//.test(type) && /[\0\uFFFD]/.test(text)) {
    const said = type || "no content type";
    throw fail(response.status, `the response is neither JSON nor text (${said}); check the Reef URL`);
  }
  return data;
}

/**
 * The time limit of a call, in milliseconds.
 *
 * @param wanted What the call asks for; like `most`, it may be anything at run time.
 * @param most What the client allows.
 */
function timeLimit(
  wanted: number | undefined,
  most: number | undefined,
  refuse: (why: string) => FleetError,
): number {
  const limits = [wanted ?? most ?? DEFAULT_TIMEOUT_MS, most ?? MAX_TIMEOUT_MS];
  const wrong = limits.find((ms) => !(typeof ms === "number" && ms > 0));
  if (wrong !== undefined) {
    const shown = typeof wrong === "number" ? wrong : `of type ${typeof wrong}`;
    throw refuse(`timeoutMs is ${shown}; it must be a number of milliseconds above 0`);
  }
  return Math.ceil(Math.min(...limits, MAX_TIMEOUT_MS));
}

function errorResult(given: string): ToolResult {
  // Services pass whatever they caught.
  const text = typeof given === "string" ? given : messageOf(given);
  const result: ToolResult = {
    content: [{ type: "text", text: `Error: ${text}` }],
    details: { error: text },
    isError: true,
  };
  Object.defineProperty(result, ERROR_RESULT, { value: true });
  return result;
}

function headersOf(env: ReturnType<typeof readAgentEnvironment>, hasBody: boolean): Record<string, string> {
  const headers: Record<string, string> = {
    accept: "application/json",
    [AGENT_NAME]: headerText(env.agentName),
  };
  if (env.authToken) headers.authorization = `Bearer ${env.authToken}`;
  if (env.vmId) headers["x-reef-vm-id"] = headerText(env.vmId);
  if (env.agentCategory) headers["x-reef-category"] = headerText(env.agentCategory);
  if (hasBody) headers["content-type"] = "application/json";
  return headers;
}

const tokenHint = (token: string) =>
  token === "" ? "VERS_AUTH_TOKEN is not set" : "VERS_AUTH_TOKEN is not the token of this Reef";

/** Why there was no reply. Node's fetch has the reason in the cause. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const detail = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : undefined;
  return detail ? `${error.message}: ${detail}` : error.message;
}

/** The error in a reply: its `error` field, or the beginning of the body. */
function errorText(data: Json): string {
  const said = typeof data === "object" && data !== null ? (data as { error?: unknown }).error : data;
  if (typeof said === "string") return said.slice(0, 500).trim();
  return said === undefined ? "" : JSON.stringify(said).slice(0, 500);
}
