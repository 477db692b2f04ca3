/** Calls of the dashboard's script. The session's cookie goes along; the admin token is never here. */
import { signal } from "@preact/signals";
import { strings as t } from "../strings.js";

/** A reply that is no success. `body` is what the server said in full. */
export class ApiError extends Error {
  override name = "ApiError";
  constructor(
    message: string,
    readonly status: number,
    readonly body: unknown,
  ) {
    super(message);
  }
}

/** Whether the server has said that this session is over. */
export const sessionOver = signal(false);

export const HEADERS = { "x-reef-ui": "1" };

/**
 * Calls a service, e.g. `api("GET", "/services")`, and resolves with the decoded reply.
 *
 * @throws ApiError for replies that are no success, and another error when there is no reply
 */
export async function api<T>(method: string, path: string, body?: unknown): Promise<T> {
  return request<T>(method, `/ui/api${path}`, body);
}

/** Asks the dashboard itself. */
export async function own<T>(path: string): Promise<T> {
  return request<T>("GET", `/ui${path}`);
}

/** The reply and its text. Each browser has other words for a server that does not answer. */
async function ask(url: string, init: RequestInit): Promise<[Response, string]> {
  try {
    const reply = await fetch(url, init);
    return [reply, await reply.text()];
  } catch (error) {
    console.debug(`no response from ${url}:`, messageOf(error));
    throw new Error(t.common.noAnswer);
  }
}

async function request<T>(method: string, url: string, body?: unknown): Promise<T> {
  const init: RequestInit = { method, headers: HEADERS };
  if (body !== undefined) {
    init.headers = { ...HEADERS, "content-type": "application/json" };
    init.body = JSON.stringify(body);
  }
  const [reply, text] = await ask(url, init);
  const data = decode(text);
  if (reply.ok) return data as T;
  if (reply.status === 401) sessionOver.value = true;
  const said = (data as { error?: unknown } | null)?.error;
  throw new ApiError(
    typeof said === "string" ? said : `${reply.status} ${reply.statusText}`.trim(),
    reply.status,
    data,
  );
}

function decode(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Not every reply is JSON; the text is what there is.
    return text;
  }
}

/** The message of anything that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** Whether a call failed because no service of this name is loaded, or it has no such route. */
export const isMissing = (error: unknown): boolean => error instanceof ApiError && error.status === 404;
