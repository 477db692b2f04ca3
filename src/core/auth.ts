/** Who may call: the bearer token, compared in constant time. */
import { chmodSync } from "node:fs";
import { join } from "node:path";
import { errorReply, messageOf } from "./errors.js";
import { writeFileAtomic } from "./files.js";
import { readRegularFile } from "./regular-file.js";
import { systemErrorCode } from "./storage-error.js";

/** Says whether a request carries the right credentials. */
export type Authenticator = (request: Request) => boolean;

/** Shorter tokens might be guessed. */
export const SHORTEST_TOKEN = 16;

/** Larger files hold something else, in bytes. */
const LARGEST_FILE = 64 * 1024;

const SCHEME = "bearer ";

/** Accepts `Authorization: Bearer <token>`; the scheme in any case, as RFC 9110 wants it. */
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

/** The 401 of every protected path. */
export function unauthorized(): Response {
  return errorReply("UNAUTHORIZED", undefined, { "www-authenticate": 'Bearer realm="reef"' });
}

/** Where a data folder keeps the token of its server. */
export const tokenPath = (dataDir: string) => join(dataDir, "auth-token");

/**
 * The token kept in the data folder, made at the first start. Readable by the owner only. The caller holds the data
 * folder, or two servers could each make one.
 */
export function storedToken(dataDir: string): { token: string; path: string; created: boolean } {
  const path = tokenPath(dataDir);
  const kept = readKept(path);
  if (kept !== undefined) {
    const token = kept.trim();
    if (token.length < SHORTEST_TOKEN || !/^[\x21-\x7e]+$/.test(token)) {
      throw new Error(`${path} does not contain a valid token; delete the file to generate a new one.`);
    }
    chmodSync(path, 0o600);
    return { token, path, created: false };
  }
  const token = crypto.getRandomValues(Buffer.alloc(32)).toString("base64url");
  writeFileAtomic(path, `${token}\n`, 0o600);
  return { token, path, created: true };
}

function readKept(path: string): string | undefined {
  try {
    return readRegularFile(path, LARGEST_FILE);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw new Error(
      `${path} cannot be read (${messageOf(error)}); it contains the token generated at the first start.`,
    );
  }
}
