/** The server's token, as far as a service gets to know it. */
import { existsSync, readFileSync } from "node:fs";
import { tokenPath } from "../../src/core/auth.js";
import { readConfig } from "../../src/core/config.js";
import type { ServiceContext } from "../../src/core/types.js";

/** Whether this is the server's token. */
export function isToken(token: string, context: ServiceContext): boolean {
  // Header values take ASCII only; any other token is wrong anyway.
  if (!/^[\x21-\x7e]{1,4096}$/.test(token)) return false;
  const headers = { authorization: `Bearer ${token}` };
  return context.authenticate(new Request("http://reef.internal/", { headers }));
}

/** The token, where it is a setting or was made by the server; undefined where a program gave it to its Reef. */
export function findToken(context: ServiceContext): string | undefined {
  const { authToken } = readConfig();
  if (authToken !== undefined && isToken(authToken, context)) return authToken;
  const path = tokenPath(context.dataDir);
  const token = existsSync(path) ? readFileSync(path, "utf8").trim() : "";
  return isToken(token, context) ? token : undefined;
}
