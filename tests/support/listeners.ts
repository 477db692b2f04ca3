/** Places outside that notice whoever comes: by HTTP, by a bare connection, by a datagram. */
export interface Listeners {
  /** Base address of the HTTP side, below a host that is not the server's. */
  url: string;
  tcpPort: number;
  udpPort: number;
  /** What came, in the order in which it did: `GET /path`, `tcp`, `udp`. */
  seen: string[];
  stop(): void;
}

export async function listen(): Promise<Listeners> {
  const seen: string[] = [];
  const http = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch(request) {
      const { pathname, search } = new URL(request.url);
      seen.push(`${request.method} ${pathname}${search}`);
      return new Response("", { headers: { "access-control-allow-origin": "*" } });
    },
  });
  const tcp = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      open(socket) {
        seen.push("tcp");
        socket.end();
      },
      data: () => undefined,
    },
  });
  const udp = await Bun.udpSocket({
    hostname: "127.0.0.1",
    socket: { data: () => void seen.push("udp") },
  });
  return {
    url: `http://127.0.0.1:${http.port}`,
    tcpPort: tcp.port,
    udpPort: udp.port,
    seen,
    stop() {
      http.stop(true);
      tcp.stop(true);
      udp.close();
    },
  };
}
