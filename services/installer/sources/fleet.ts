/** Fetches a service from another Reef: its export, as a compressed archive. */
import { type LookupAddress, lookup } from "node:dns";
import { type IncomingMessage, request as requestHttp } from "node:http";
import { request as requestHttps } from "node:https";
import { isIP, type LookupFunction } from "node:net";
import { messageOf } from "../../../src/core/errors.js";
import { isSafeName } from "../../../src/core/names.js";
import { InstallError, printable } from "../errors.js";
import { type Allowed, assertReach } from "./addresses.js";
import { withoutCredentials } from "./credentials.js";

export interface FleetSource {
  type: "fleet";
  /** The other instance, e.g. `http://other:3000`; without credentials, query and trailing slash. */
  from: string;
  /** The service there. */
  name: string;
}

export interface FleetOptions {
  allowed: Allowed;
  /** The other instance's token. */
  token?: string;
  signal: AbortSignal;
}

const MOST_REDIRECTS = 3;
const MOST_ERROR_BYTES = 4096;

/** @throws InstallError with status 400, which says what is wrong. */
export function parseFleetSource(from: string, name: string): FleetSource {
  const refuse = (why: string) => {
    const shown = JSON.stringify(printable(withoutCredentials(from), 120));
    return new InstallError(400, "source", `the instance ${shown} ${why}`);
  };
  const url = from.length <= 500 && /^[\x21-\x7e]+$/.test(from) ? URL.parse(from) : null;
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:")) {
    throw refuse("must be an http or https URL, such as http://other:3000.");
  }
  if (url.username !== "" || url.password !== "" || from.includes("@")) {
    throw refuse('contains a user or password; pass the token in "token".');
  }
  if (url.search !== "" || url.hash !== "" || /[?#]/.test(from))
    throw refuse('contains "?" or "#"; give only the address.');
  if (!isSafeName(name)) {
    throw new InstallError(
      400,
      "source",
      `${JSON.stringify(printable(name, 60))} is not a valid service name.`,
    );
  }
  return { type: "fleet", from: url.origin + url.pathname.replace(/\/+$/, ""), name };
}

/**
 * Asks for the archive. Every address is checked after it was looked up and used as it was checked, also those
 * that redirects lead to; the token goes to the instance's own origin only.
 *
 * @throws InstallError 403 for an address that is not allowed, 404 when there is no such service, 502 for
 * everything else that goes wrong over there.
 */
export async function fetchExport(source: FleetSource, options: FleetOptions): Promise<IncomingMessage> {
  const first = new URL(`${source.from}/services/export/${encodeURIComponent(source.name)}`);
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const token = url.origin === first.origin ? options.token : undefined;
    const reply = await send(url, token, options);
    const status = reply.statusCode ?? 0;
    const location = reply.headers.location;
    if (status < 300 || status >= 400 || location === undefined) {
      if (status === 200) return reply;
      throw await refused(reply, source, status, options.token !== undefined);
    }
    reply.destroy();
    const next = URL.parse(location, url);
    if (redirects === MOST_REDIRECTS || !next || !/^https?:$/.test(next.protocol) || next.username !== "") {
      throw new InstallError(502, "fetch", `${source.from} redirects to an address that is not allowed.`);
    }
    if (url.protocol === "https:" && next.protocol === "http:") {
      throw new InstallError(502, "fetch", `${source.from} redirects from https to http.`);
    }
    url = next;
  }
}

/** What the other instance says to have left out of its export, for who wonders why the code does not run here. */
export function withheldThere({ headers }: IncomingMessage): string | undefined {
  const paths = headers["x-reef-withheld"];
  return typeof paths === "string" ? `excluded from the export: ${printable(paths, 1000)}` : undefined;
}

function send(
  url: URL,
  token: string | undefined,
  { allowed, signal }: FleetOptions,
): Promise<IncomingMessage> {
  const encrypted = url.protocol === "https:";
  const host = url.hostname.replace(/^\[|\]$/g, "");
  if (isIP(host)) assertReach(host, encrypted, allowed);
  const headers: Record<string, string> = { accept: "application/gzip" };
  if (token !== undefined) headers.authorization = `Bearer ${token}`;
  const request = encrypted ? requestHttps : requestHttp;
  return new Promise((resolve, reject) => {
    const fail = (error: unknown) => {
      if (signal.aborted) reject(signal.reason);
      else if (error instanceof InstallError) reject(error);
      else
        reject(
          new InstallError(502, "fetch", `${url.origin} cannot be reached: ${printable(messageOf(error))}`),
        );
    };
    const options = {
      headers,
      signal,
      agent: false as const,
      lookup: checkedLookup(encrypted, allowed, fail),
    };
    const sent = request(url, options, resolve);
    sent.on("error", fail);
    sent.end();
  });
}

/** Looks a name up and lets only allowed addresses through, so that what is connected to is what was checked. */
function checkedLookup(encrypted: boolean, allowed: Allowed, fail: (error: unknown) => void): LookupFunction {
  return (host, options, callback) => {
    lookup(host, { ...options, all: true }, (error, found: LookupAddress[]) => {
      if (error) return callback(error, []);
      try {
        for (const { address } of found) assertReach(address, encrypted, allowed);
      } catch (refusal) {
        fail(refusal);
        return callback(refusal as NodeJS.ErrnoException, []);
      }
      const [first] = found;
      if (options.all || !first) callback(null, found);
      else callback(null, first.address, first.family);
    });
  };
}

async function refused(
  reply: IncomingMessage,
  { from, name }: FleetSource,
  status: number,
  hadToken: boolean,
): Promise<InstallError> {
  if (status === 404) {
    reply.destroy();
    return new InstallError(404, "fetch", `${from} has no service "${name}".`);
  }
  if (status === 401 || status === 403) {
    reply.destroy();
    const why = hadToken ? "rejected the token" : 'requires its token; pass it in "token"';
    return new InstallError(502, "fetch", `${from} ${why} (${status}).`);
  }
  let text = "";
  for await (const chunk of reply) {
    text += Buffer.from(chunk).toString("latin1");
    if (text.length > MOST_ERROR_BYTES) break;
  }
  return new InstallError(502, "fetch", `${from} returned ${status}: ${printable(text, 200)}`);
}
