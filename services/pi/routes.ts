import { Hono } from "hono";
import { gitRepository, piPackage } from "../../src/agent/index.js";
import { errorReply } from "../../src/core/errors.js";
import type { ServiceContext } from "../../src/core/types.js";

/** A route that answers everybody who has the token, and nobody else. */
const PROTECTED_URL = "http://reef.internal/extension/bootstrap.js";

/** The repository's files. Made again when a clone begins, so that changed skills are in it. */
export class Package {
  #ctx: ServiceContext | undefined;
  #files: Promise<Map<string, Uint8Array>> | undefined;

  start(ctx: ServiceContext): void {
    this.#ctx = ctx;
  }

  async file(path: string): Promise<Uint8Array | undefined> {
    if (path === "info/refs" || !this.#files) this.#files = piPackage().then(gitRepository);
    return (await this.#files).get(path);
  }

  /** Asks the server itself whether it would let a caller with this token in. */
  async accepts(token: string): Promise<boolean> {
    if (!this.#ctx || !/^[\x21-\x7e]+$/.test(token)) return false;
    const headers = { authorization: `Bearer ${token}` };
    const reply = await this.#ctx.dispatch(new Request(PROTECTED_URL, { headers }));
    return reply.ok;
  }
}

function tokenOf(header: string | undefined): string {
  const [scheme = "", value = ""] = (header ?? "").split(/\s+/, 2);
  if (/^bearer$/i.test(scheme)) return value;
  if (!/^basic$/i.test(scheme)) return "";
  const pair = Buffer.from(value, "base64").toString("utf8");
  return pair.slice(pair.indexOf(":") + 1);
}

export function createRoutes(content: Package): Hono {
  const routes = new Hono();
  routes.get("/reef.git/:path{.+}", async (c) => {
    if (!(await content.accepts(tokenOf(c.req.header("authorization"))))) {
      return errorReply("UNAUTHORIZED", undefined, { "www-authenticate": 'Basic realm="reef"' });
    }
    const file = await content.file(c.req.param("path"));
    if (!file) return errorReply("NOT_FOUND");
    const headers = { "content-type": "application/octet-stream", "cache-control": "no-cache" };
    return new Response(new Uint8Array(file), { headers });
  });
  return routes;
}
