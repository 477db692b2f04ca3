/** The FleetClient: how tools, behaviours and widgets reach Reef from an agent's process. Runs on Node and Bun. */

import { AGENT_NAME, headerText } from "./agent-name.js";
import { tokenProblem } from "./agent-token.js";
import { readAgentEnvironment } from "./config.js";
import { messageOf } from "./errors.js";
import type { CallOptions, FleetClient, Json, ToolResult } from "./types.js";

export interface FleetClientOptions {
  /** Environment to read; default the process's own, at each call. */
  env?: Record<string, string | undefined>;
  /**
   * How long a call may take at most, its retry included, in milliseconds. Without it, that is 30 000 where the call
   * does not say otherwise. A function is asked at each call.
   */
  timeoutMs?: number | (() => number | undefined);
  /** Aborts calls, e.g. when the agent's session ends. A function is asked at each call. */
  signal?: AbortSignal | (() => AbortSignal | undefined);
  fetch?: (url: string, init: RequestInit) => Promise<Response>;
  /** Told after each attempt whether the server gave a whole reply in time, whatever it said. */
  onAttempt?: (answered: boolean) => void;
}

/** A failed call; `message` is `METHOD path (status): what the server said`. */
export class FleetError extends Error {
  override name = "FleetError";
  constructor(
    message: string,
    /** HTTP status, or 0 when no reply came. */
    readonly status: number,
    /** The reply that said so, decoded as `api` decodes it; undefined when none came or it could not be read. */
    readonly body?: Json,
  ) {
    super(message);
  }
}

const DEFAULT_TIMEOUT_MS = 30_000;
/** Timers of more are over at once. */
const MAX_TIMEOUT_MS = 2 ** 31 - 1;
/** Before the first retry, and twice as long before each further one. */
const RETRY_AFTER_MS = 100;
const MOST_BETWEEN_MS = 1000;
/** Methods whose repetition changes nothing (RFC 9110, 9.2.2). */
const IDEMPOTENT = new Set(["GET", "HEAD", "PUT", "DELETE", "OPTIONS"]);
const WORTH_A_RETRY = new Set([0, 502, 503, 504]);
const ERROR_RESULT = Symbol.for("reef.errorResult");

/** Whether a tool result was made with `client.err()` or `client.noUrl()`. */
export function isErrorResult(result: unknown): boolean {
  return typeof result === "object" && result !== null && ERROR_RESULT in result;
}

/** One call's inputs and limits, the same for both attempts. */
interface Call {
  method: string;
  path: string;
  body: unknown;
  signal: AbortSignal | undefined;
  timeoutMs: number;
  deadline: AbortSignal;
}

/** A client for the control plane named by `VERS_INFRA_URL` and `VERS_AUTH_TOKEN`. */
export function createFleetClient(options: FleetClientOptions = {}): FleetClient {
  const read = () => readAgentEnvironment(options.env ?? process.env);
  const send = options.fetch ?? ((url, init) => fetch(url, init));

  const attempt = async ({ method, path, body, signal, timeoutMs, deadline }: Call): Promise<Json> => {
    const env = read();
    const fail = (status: number, why: string, reply?: Json) =>
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
    const type = response.headers.get("content-type") ?? "";
    let data: Json = text;
    if (/\bjson\b/.test(type) && text !== "") {
      try {
        data = JSON.parse(text);
      } catch {
        // A reply cut short or a proxy's invention; the status may be fine, the content is not.
        throw fail(response.status, "the response is not valid JSON");
      }
    }
    if (!response.ok) {
      const said = errorText(data) || response.statusText || "failed";
      const isOurs = response.status === 401 && said === "unauthorized";
      throw fail(response.status, isOurs ? `${said}: ${aboutToken(env.authToken)}` : said, data);
    }
    // Whoever answers in HTML is a proxy, a login page or another program.
    if (/\btext\/html\b/.test(type))
      throw fail(response.status, "the response is a web page; check the Reef URL");
    // Bytes that are no text leave these behind when they are read as such.
    if (!/\bjson\b|^text\//.test(type) && /[\0\uFFFD]/.test(text)) {
      const said = type || "no content type";
      throw fail(response.status, `the response is neither JSON nor text (${said}); check the Reef URL`);
    }
    return data;
  };

  const api = async (
    verb: string,
    target: string,
    body?: unknown,
    { timeoutMs: wanted, untilAnswered = false }: CallOptions = {},
  ): Promise<Json> => {
    const method = String(verb).toUpperCase();
    const path = String(target).startsWith("/") ? String(target) : `/${target}`;
    if (read().baseUrl === "") throw new FleetError(`${method} ${path}: VERS_INFRA_URL is not set`, 0);
    const problem = tokenProblem(read().authToken);
    if (problem !== undefined) throw new FleetError(`${method} ${path}: ${problem}`, 0);
    const { timeoutMs: limit, signal: given } = options;
    const most = typeof limit === "function" ? limit() : limit;
    const limits = [wanted ?? most ?? DEFAULT_TIMEOUT_MS, most ?? MAX_TIMEOUT_MS];
    const wrong = limits.find((ms) => !(typeof ms === "number" && ms > 0));
    if (wrong !== undefined) {
      const shown = typeof wrong === "number" ? wrong : `of type ${typeof wrong}`;
      const why = `timeoutMs is ${shown}; it must be a number of milliseconds above 0`;
      throw new FleetError(`${method} ${path}: ${why}`, 0);
    }
    const timeoutMs = Math.ceil(Math.min(...limits, MAX_TIMEOUT_MS));
    const signal = typeof given === "function" ? given() : given;
    const call = { method, path, body, signal, timeoutMs, deadline: AbortSignal.timeout(timeoutMs) };
    const retries = IDEMPOTENT.has(method) ? (untilAnswered ? Number.POSITIVE_INFINITY : 1) : 0;
    for (let retry = 0; ; retry++) {
      try {
        return await attempt(call);
      } catch (error) {
        const again = error instanceof FleetError && retry < retries && WORTH_A_RETRY.has(error.status);
        if (!again || signal?.aborted || call.deadline.aborted) throw error;
      }
      const pauseMs = Math.min(RETRY_AFTER_MS * 2 ** retry, MOST_BETWEEN_MS);
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

function errorResult(given: string): ToolResult {
  // Services pass on whatever they caught.
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

const aboutToken = (token: string) =>
  token === "" ? "VERS_AUTH_TOKEN is not set" : "VERS_AUTH_TOKEN is not the token of this Reef";

/** Why no reply came. Node's fetch says so in the cause only. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const detail = cause instanceof Error ? cause.message || (cause as NodeJS.ErrnoException).code : undefined;
  return detail ? `${error.message}: ${detail}` : error.message;
}

/** What the server said went wrong: its `error`, or the start of whatever else it sent. */
function errorText(data: Json): string {
  const said = typeof data === "object" && data !== null ? (data as { error?: unknown }).error : data;
  if (typeof said === "string") return said.slice(0, 500).trim();
  return said === undefined ? "" : JSON.stringify(said).slice(0, 500);
}
