/** Turns thrown errors that are meant for the client into replies. */
import type { HTTPException } from "hono/http-exception";
import { clientGone, errorReply, ReefError } from "../errors.js";
import type { Logger } from "../log.js";
import { StorageError } from "../storage-error.js";

/**
 * The reply that a thrown error stands for; undefined for a plain failure. May throw, since thrown values may
 * be anything.
 */
export function replyTo(error: unknown, request: Request, log: Logger): Response | undefined {
  if (isHttpException(error)) return replyOf(error);
  if (error instanceof StorageError && error.code === "STORAGE_FULL") {
    log.error(error.message);
    return errorReply("STORAGE_FULL");
  }
  if (error instanceof ReefError) return errorReply(error.code, error.message);
  if (isTooLarge(error)) return errorReply("BODY_TOO_LARGE");
  if (isAbort(error) && request.signal.aborted) return clientGone();
  return undefined;
}

/** Recognised by shape, since a service may bring its own Hono. */
function isHttpException(error: unknown): error is HTTPException {
  return error instanceof Error && "getResponse" in error && "status" in error;
}

/**
 * The exception's own reply, or its message in Reef's error format. A 5xx is a failure of the service and is
 * not disclosed.
 */
function replyOf(error: HTTPException): Response | undefined {
  const { status } = error;
  if (!mayBeTold(status)) return undefined;
  if (error.res === undefined && hasHonosReply(error))
    return Response.json({ error: error.message || "request refused" }, { status });
  const reply = error.getResponse();
  return reply instanceof Response && mayBeTold(reply.status) ? reply : undefined;
}

const mayBeTold = (status: number) => Number.isInteger(status) && status >= 200 && status < 500;

/** Whether the exception uses Hono's own `getResponse`. */
function hasHonosReply(error: HTTPException): boolean {
  let owner: object | null = error;
  while (owner && !Object.hasOwn(owner, "getResponse")) owner = Object.getPrototypeOf(owner) as object | null;
  return owner?.constructor.name === "HTTPException" && owner !== error;
}

/** Thrown when a chunked body exceeds the limit while it is read. */
function isTooLarge(error: unknown): boolean {
  return error instanceof Error && error.message === "Request body exceeded maxRequestBodySize";
}

/** Thrown when the client closes the connection while the body is read. */
function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
