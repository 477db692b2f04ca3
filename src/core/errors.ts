/** The catalogue of errors and the replies made from it. `docs/ERRORS.md` is generated from it. */

/** A kind of error: its HTTP status, its default message, and help for the documentation. */
interface ErrorKind {
  status: number;
  message: string;
  help: string;
}

/** All errors that Reef itself replies with. The key is the stable code. */
export const ERRORS = {
  UNAUTHORIZED: {
    status: 401,
    message: "unauthorized",
    help: "Send `Authorization: Bearer <token>`. The token is `VERS_AUTH_TOKEN`, or the content of `data/auth-token`, which the first start generates.",
  },
  FORBIDDEN: {
    status: 403,
    message: "forbidden",
    help: "The caller is not allowed to do this; another token does not help. The message says why.",
  },
  TOO_MANY_REQUESTS: {
    status: 429,
    message: "too many requests",
    help: "Wait, then retry the request.",
  },
  NOT_FOUND: {
    status: 404,
    message: "not found",
    help: "The service exists but has no such route. `GET /services/<name>` and `GET /docs/<name>` list its routes.",
  },
  UNKNOWN_SERVICE: {
    status: 404,
    message: "unknown service",
    help: "No loaded service with routes has this name. `GET /health` lists loaded services, and skipped ones with the reason.",
  },
  BODY_TOO_LARGE: {
    status: 413,
    message: "request body too large",
    help: "Send less, or raise `REEF_MAX_BODY_BYTES`. Bun itself rejects bodies that are at least two bytes over the limit (by `Content-Length`, or while a handler reads a chunked body) with the same status but without JSON.",
  },
  BAD_JSON: {
    status: 400,
    message: "the request body is not valid JSON",
    help: "Send a JSON document with `Content-Type: application/json`.",
  },
  BAD_REQUEST: {
    status: 400,
    message: "bad request",
    help: "Correct the field that the message names. JSON may be nested at most 1000 levels deep.",
  },
  CONFLICT: {
    status: 409,
    message: "conflict",
    help: "Resolve the conflict that the message names.",
  },
  INTERNAL: {
    status: 500,
    message: "internal service error",
    help: "A route handler threw, or returned something that cannot be sent. Look up the request's `x-request-id` in the log. To send a 5xx on purpose, return it: a thrown `HTTPException` keeps its response only below 500.",
  },
  BUSY: {
    status: 503,
    message: "the service is being changed; try again",
    help: "The service is being reloaded or changed, and that takes longer than requests wait. Retry the request.",
  },
  STORAGE_FULL: {
    status: 507,
    message: "no space left to store this",
    help: "The disk of the data folder is full. Nothing was stored: free some space and retry the request.",
  },
  SHUTTING_DOWN: {
    status: 503,
    message: "the server is shutting down",
    help: "Retry the request after the restart.",
  },
} as const satisfies Record<string, ErrorKind>;

/** The stable code of an error. */
export type ErrorCode = keyof typeof ERRORS;

/**
 * An error of the catalogue. Thrown by a handler, it becomes the corresponding reply instead of a 500.
 *
 * @example
 * if (!task) throw new ReefError("NOT_FOUND", "no task has this id");
 */
export class ReefError extends Error {
  override name = "ReefError";
  readonly status: number;
  constructor(
    readonly code: ErrorCode,
    message?: string,
  ) {
    super(message ?? ERRORS[code].message);
    this.status = ERRORS[code].status;
  }
}

/**
 * The reply for an error of the catalogue: `{ "error": message }` with its status.
 *
 * @example
 * return errorReply("CONFLICT", "the name is taken");
 */
export function errorReply(code: ErrorCode, message?: string, headers?: Record<string, string>): Response {
  const kind = ERRORS[code];
  return Response.json({ error: message ?? kind.message }, { status: kind.status, headers });
}

/** The reply to a client that has closed the connection; at most a proxy's log sees it. */
export const clientGone = () => errorReply("BAD_REQUEST", "the client closed the connection");

/** An `instanceof` that never throws, as it may for a thrown `Proxy`. */
export function isA<T>(thrown: unknown, Class: abstract new (...args: never[]) => T): thrown is T {
  try {
    return thrown instanceof Class;
  } catch {
    return false;
  }
}

/** The message of any thrown value, on one line. Never throws. */
export function messageOf(thrown: unknown): string {
  const text = textOf(thrown).trim();
  if (!text.includes("\n")) return text;
  // Not a regular expression, which would take quadratic time on long runs of spaces.
  const lines = text.split("\n").map((line) => line.trim());
  return lines.filter((line) => line !== "").join(" ");
}

function textOf(thrown: unknown): string {
  try {
    if (thrown instanceof Error) return String(thrown.message || thrown.name);
    return typeof thrown === "object" && thrown !== null ? objectText(thrown) : String(thrown);
  } catch {
    // Circular, or with a conversion that throws.
    return CANNOT_BE_SHOWN;
  }
}

const CANNOT_BE_SHOWN = "a thrown object that cannot be shown";

/** The maximum length of an object in a log line or reply, in characters. */
const SHOWN_OBJECT = 300;

/** The object's message, its own `toString()`, or its JSON. */
function objectText(thrown: object): string {
  if ("message" in thrown && typeof thrown.message === "string" && thrown.message) return thrown.message;
  const isPlain =
    Array.isArray(thrown) || !("toString" in thrown) || thrown.toString === Object.prototype.toString;
  const text = isPlain ? JSON.stringify(thrown) : String(thrown);
  if (text === "{}") return CANNOT_BE_SHOWN;
  return text.length > SHOWN_OBJECT ? `${text.slice(0, SHOWN_OBJECT)}…` : text;
}
