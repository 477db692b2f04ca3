/** Control planes that are not what they should be. */
import { createServer, type Server, type Socket } from "node:net";

export interface ControlPlane {
  url: string;
  stop(): Promise<void>;
}

async function listen(server: Server): Promise<ControlPlane> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("error", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    stop: () => {
      for (const socket of sockets) socket.destroy();
      return new Promise((resolve) => server.close(() => resolve()));
    },
  };
}

/** Answers every request with the same bytes; then closes, unless `open`. */
const answering = (text: string, open = false) =>
  listen(
    createServer((socket) => {
      socket.once("data", () => (open ? socket.write(text) : socket.end(text)));
    }),
  );

const http = (status: string, type: string, body: string, length = body.length) =>
  `HTTP/1.1 ${status}\r\ncontent-type: ${type}\r\ncontent-length: ${length}\r\nconnection: close\r\n\r\n${body}`;

/** By what is wrong with them. */
export const CONTROL_PLANES: Record<string, () => Promise<ControlPlane>> = {
  "refuses connections": async () => {
    const plane = await listen(createServer());
    await plane.stop();
    return { url: plane.url, stop: async () => undefined };
  },
  "accepts and never answers": () => listen(createServer()),
  "returns HTML": () => answering(http("200 OK", "text/html", "<html><body>Welcome</body></html>")),
  "fails with 500": () => answering(http("500 Oops", "application/json", '{"error":"the disk is on fire"}')),
  "sends half a JSON": () => answering(http("200 OK", "application/json", '{"tasks":[{"ti')),
  "stops in the middle": () => answering(http("200 OK", "application/json", '{"tasks":[', 1000), true),
  "closes at once": () => answering(""),
};
