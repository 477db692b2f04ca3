/** Authentication with a bearer token, compared in constant time. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { errorReply, messageOf } from "./errors.js";
import { writeFileAtomic } from "./files.js";
import { readRegularFile } from "./regular-file.js";
import { systemErrorCode } from "./storage-error.js";

/** Whether a request carries valid credentials. */
export type Authenticator = (request: Request) => boolean;

/** In characters. Shorter tokens could be guessed. */
export const MIN_TOKEN_LENGTH = 16;

/** Larger files cannot be token files. */
const MAX_FILE_BYTES = 64 * 1024;

const SCHEME = "bearer ";

/** Accepts `Authorization: Bearer <token>`; the scheme is case-insensitive (RFC 9110). */
export function bearerAuthenticator(token: string): Authenticator {
  if (token === "") throw new Error("the auth token is empty");
  const expected = Buffer.from(`Bearer ${token}`, "latin1");
  // One buffer for all requests: the comparison is synchronous.
  const given = Buffer.alloc(expected.length);
  return (request) => {
    let header = request.headers.get("authorization");
    if (header === null || header.length !== expected.length) return false;
    if (!header.startsWith("Bearer ")) {
      if (header.slice(0, SCHEME.length).toLowerCase() !== SCHEME) return false;
      header = `Bearer ${header.slice(SCHEME.length)}`;
    }
    given.write(header, "latin1");
    return crypto.timingSafeEqual(given, expected);
  };
}

/** The reply to requests without valid credentials. */
export function unauthorized(): Response {
  return errorReply("UNAUTHORIZED", undefined, { "www-authenticate": 'Bearer realm="reef"' });
}

/** The path of the token file in a data folder. */
export const tokenPath = (dataDir: string) => join(dataDir, "auth-token");

/**
 * Reads the token from the data folder, or creates one, readable by the owner only. The caller must hold the
 * data folder's lock; otherwise two servers could each create one.
 *
 * @throws Error when the file exists but holds no usable token, or cannot be read.
 */
export function storedToken(dataDir: string): { token: string; path: string; created: boolean } {
  const path = tokenPath(dataDir);
  const stored = readStored(path);
  if (stored !== undefined) {
    const token = stored.trim();
    if (token.length < MIN_TOKEN_LENGTH || !/^[\x21-\x7e]+$/.test(token)) {
      throw new Error(`${path} does not contain a valid token; delete the file to generate a new one.`);
    }
    chmodSync(path, 0o600);
    return { token, path, created: false };
  }
  const token = crypto.getRandomValues(Buffer.alloc(32)).toString("base64url");
  writeFileAtomic(path, `${token}\n`, 0o600);
  return { token, path, created: true };
}

function readStored(path: string): string | undefined {
  try {
    return readRegularFile(path, MAX_FILE_BYTES);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw new Error(
      `${path} cannot be read (${messageOf(error)}); it contains the token generated at the first start.`,
    );
  }
}
