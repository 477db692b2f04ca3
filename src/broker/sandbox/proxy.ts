/** The HTTP proxy through which confined plugins reach permitted hosts. */
import { lookup } from "node:dns/promises";
import { chmodSync, rmSync } from "node:fs";
import { connect, createServer, isIP, type Server, type Socket } from "node:net";
import { reachOf } from "../../core/addresses.js";
import { isAllowed, matchesAny } from "../permissions/check.js";
import { canonicalHost, type Endpoint, parseEndpoint, parseHostPattern } from "../permissions/hosts.js";
import type { Permissions } from "../permissions/set.js";

/** A proxy that forwards connections to permitted hosts only. */
export interface AllowListProxy {
  readonly socketPath: string;
  close(): void;
}

const MAX_HEAD = 32 * 1024;
const HEAD_TIMEOUT = 10_000;
const CONNECT_TIMEOUT = 15_000;
const MAX_CONNECTIONS = 256;

/** Starts a proxy on a socket file. `onDenied` receives every denied host. */
export async function startProxy(
  socketPath: string,
  permissions: Permissions,
  onDenied: (host: string) => void,
): Promise<AllowListProxy> {
  const open = new Set<Socket>();
  const server = createServer((client) => {
    if (open.size >= MAX_CONNECTIONS) {
      client.destroy();
      return;
    }
    open.add(client);
    client.on("close", () => open.delete(client));
    serve(client, { permissions, onDenied, open });
  });
  await listen(server, socketPath);
  chmodSync(socketPath, 0o600);
  return {
    socketPath,
    close() {
      server.close();
      for (const socket of open) socket.destroy();
      rmSync(socketPath, { force: true });
    },
  };
}

function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve());
  });
}

/** What the connections of one proxy share. */
interface Shared {
  permissions: Permissions;
  onDenied(host: string): void;
  /** Open sockets, of clients and servers. */
  open: Set<Socket>;
}

interface Request {
  method: string;
  endpoint: Endpoint;
  /** The rewritten request head; empty for tunnels. */
  opening: string;
}

function serve(client: Socket, shared: Shared): void {
  let head = Buffer.alloc(0);
  client.setTimeout(HEAD_TIMEOUT, () => client.destroy());
  client.on("error", () => client.destroy());
  const onData = (chunk: Buffer) => {
    head = Buffer.concat([head, chunk]);
    const end = head.indexOf("\r\n\r\n");
    if (end < 0) {
      if (head.length > MAX_HEAD) refuse(client, 431, "the request head is too large");
      return;
    }
    client.off("data", onData);
    client.pause();
    client.setTimeout(0);
    const request = parseHead(head.subarray(0, end).toString("latin1"));
    const rest = head.subarray(end + 4);
    if (!request) refuse(client, 400, "a proxy request must name an http:// address or CONNECT host:port");
    else void forward(client, request, rest, shared);
  };
  client.on("data", onData);
}

function refuse(client: Socket, status: number, message: string): void {
  client.end(
    `HTTP/1.1 ${status} Refused\r\nContent-Type: text/plain\r\nConnection: close\r\n\r\n${message}\n`,
  );
}

function parseHead(head: string): Request | null {
  const [line = "", ...headers] = head.split("\r\n");
  const [method = "", target = "", version = ""] = line.split(" ");
  if (!/^[A-Z]{1,20}$/.test(method) || !version.startsWith("HTTP/1.")) return null;
  if (method === "CONNECT") {
    const endpoint = parseEndpoint(target);
    return endpoint && { method, endpoint, opening: "" };
  }
  if (!URL.canParse(target)) return null;
  const url = new URL(target);
  const host = canonicalHost(url.hostname);
  if (url.protocol !== "http:" || host === null) return null;
  const kept = headers.filter((header) => !/^(host|connection|proxy-[^:]*|keep-alive)\s*:/i.test(header));
  const lines = [
    `${method} ${url.pathname}${url.search} HTTP/1.1`,
    `Host: ${url.host}`,
    ...kept,
    "Connection: close",
  ];
  return {
    method,
    endpoint: { host, port: Number(url.port || 80) },
    opening: `${lines.join("\r\n")}\r\n\r\n`,
  };
}

async function forward(
  client: Socket,
  request: Request,
  rest: Buffer,
  { permissions, onDenied, open }: Shared,
): Promise<void> {
  const { host, port } = request.endpoint;
  const named = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  if (!isAllowed(permissions, "network", named)) {
    onDenied(named);
    return refuse(client, 403, `network of ${named} is not permitted`);
  }
  const address = await resolve(request.endpoint, permissions);
  if (address === null) return refuse(client, 502, `${host} has no address that is allowed`);
  const server = connect({ host: address, port });
  open.add(server);
  server.setTimeout(CONNECT_TIMEOUT, () => server.destroy(new Error("timed out")));
  let connected = false;
  server.once("connect", () => {
    connected = true;
    server.setTimeout(0);
    if (request.method === "CONNECT") client.write("HTTP/1.1 200 Connection established\r\n\r\n");
    else server.write(request.opening, "latin1");
    if (rest.length > 0) server.write(rest);
    client.pipe(server);
    server.pipe(client);
  });
  server.on("error", () => {
    if (!connected) refuse(client, 502, `${named} cannot be reached`);
    else client.destroy();
  });
  server.on("close", () => {
    open.delete(server);
    if (connected) client.destroy();
  });
  client.on("close", () => server.destroy());
}

/**
 * Resolves the address to connect to. A permitted name must not lead to this machine or its private networks;
 * those are reachable only if a rule names them exactly.
 */
async function resolve({ host, port }: Endpoint, permissions: Permissions): Promise<string | null> {
  const exact = permissions === "all" || namedExactly(host, permissions.network?.allow ?? []);
  if (isIP(host) !== 0) return exact || reachOf(host) === "public" ? host : null;
  try {
    const found = await lookup(host, { all: true });
    const denied = permissions === "all" ? [] : (permissions.network?.deny ?? []);
    const fit = found.find(({ address }) => {
      const shown = isIP(address) === 6 ? `[${address}]:${port}` : `${address}:${port}`;
      if (matchesAny("network", denied, shown)) return false;
      return (exact && isLoopbackName(host)) || reachOf(address) === "public";
    });
    return fit?.address ?? null;
  } catch {
    return null;
  }
}

function isLoopbackName(host: string): boolean {
  return host === "localhost" || host.endsWith(".localhost");
}

function namedExactly(host: string, lists: readonly (readonly string[])[]): boolean {
  return (
    lists.length > 0 &&
    lists.every((list) => list.some((rule) => parseHostPattern(rule).host === host && !rule.startsWith("*")))
  );
}
