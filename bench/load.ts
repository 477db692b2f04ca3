import type { Socket } from "bun";

/** What to send; headers are sent as given, `Host` and `Content-Length` are added. */
export interface LoadOptions {
  method?: string;
  path: string;
  headers?: Record<string, string>;
  body?: string;
  /** Requests in all. */
  requests: number;
  /** Kept-alive connections that each have one request under way at a time. Default 64. */
  connections?: number;
  /** The status every reply must have. Default 200. */
  expect?: number;
}

interface Connection {
  buffer: Uint8Array;
  length: number;
}

const separator = Buffer.from("\r\n\r\n");

/** Length of the first whole response in `buffer`, or 0 when it is not complete yet. */
function responseLength(buffer: Buffer, expect: number): number {
  const end = buffer.indexOf(separator);
  if (end < 0) return 0;
  const head = buffer.toString("latin1", 0, end);
  const status = Number(head.slice(9, 12));
  if (status !== expect) throw new Error(`expected status ${expect}, got ${buffer.toString().slice(0, 300)}`);
  const length = /\r\ncontent-length: *(\d+)/i.exec(head);
  if (!length && status !== 204)
    throw new Error(`a reply without Content-Length cannot be measured: ${head}`);
  const total = end + 4 + Number(length?.[1] ?? 0);
  return buffer.length >= total ? total : 0;
}

/**
 * Sends the same request again and again over raw sockets, which costs the load side a fraction of what
 * `fetch` does. Rejects on any other status than the expected one.
 */
export async function load(port: number, options: LoadOptions): Promise<void> {
  const { method = "GET", path, headers = {}, body = "", requests, connections = 64, expect = 200 } = options;
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers }).map((pair) => pair.join(": "));
  if (body) lines.push(`Content-Length: ${Buffer.byteLength(body)}`);
  const request = Buffer.from(`${method} ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n${body}`);
  const finished = Promise.withResolvers<void>();
  const sockets: Socket<Connection>[] = [];
  let toSend = requests;
  let toReceive = requests;
  const next = (socket: Socket<Connection>) => {
    if (toSend <= 0) return;
    toSend--;
    if (socket.write(request) !== request.length)
      finished.reject(new Error("a request did not fit the socket"));
  };
  for (let i = 0; i < Math.min(connections, requests); i++) {
    const connecting = Bun.connect<Connection>({
      hostname: "127.0.0.1",
      port,
      data: { buffer: new Uint8Array(), length: 0 },
      socket: {
        open: next,
        data(socket, chunk) {
          const all = socket.data.length ? Buffer.concat([socket.data.buffer, chunk]) : chunk;
          try {
            const length = responseLength(all, expect);
            socket.data.buffer = Buffer.from(all.subarray(length));
            socket.data.length = socket.data.buffer.length;
            if (!length) return;
          } catch (error) {
            return finished.reject(error);
          }
          if (--toReceive === 0) finished.resolve();
          else next(socket);
        },
        close: () => finished.reject(new Error("the server closed a connection")),
        error: (_socket, error) => finished.reject(error),
      },
    });
    connecting.then((socket) => sockets.push(socket), finished.reject);
  }
  try {
    await finished.promise;
  } finally {
    for (const socket of sockets) socket.terminate();
  }
}
