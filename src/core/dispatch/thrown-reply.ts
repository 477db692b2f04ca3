/** What is thrown to say something to the client, as the reply to it. */
import type { HTTPException } from "hono/http-exception";
import { clientGone, errorReply, ReefError } from "../errors.js";
import type { Logger } from "../log.js";
import { StorageError } from "../storage-error.js";

/** Undefined for what is nothing but a failure. May throw: the fields of what is thrown may be anything. */
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

/** By shape, since a service may bring a Hono of its own. */
function isHttpException(error: unknown): error is HTTPException {
  return error instanceof Error && "getResponse" in error && "status" in error;
}

/** Its own reply, or its message as all errors are told. A 5xx is the service's failure, and not told. */
function replyOf(error: HTTPException): Response | undefined {
  const { status } = error;
  if (!mayBeTold(status)) return undefined;
  if (error.res === undefined && hasHonosReply(error))
    return Response.json({ error: error.message || "request refused" }, { status });
  const reply = error.getResponse();
  return reply instanceof Response && mayBeTold(reply.status) ? reply : undefined;
}

const mayBeTold = (status: number) => Number.isInteger(status) && status >= 200 && status < 500;

/** Whether nobody has said otherwise what it replies. */
function hasHonosReply(error: HTTPException): boolean {
  let owner: object | null = error;
  while (owner && !Object.hasOwn(owner, "getResponse")) owner = Object.getPrototypeOf(owner) as object | null;
  return owner?.constructor.name === "HTTPException" && owner !== error;
}

/** What reading a body throws that was sent in chunks and outgrew the limit. */
function isTooLarge(error: unknown): boolean {
  return error instanceof Error && error.message === "Request body exceeded maxRequestBodySize";
}

/** What reading a body throws when the client has closed the connection. */
function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
