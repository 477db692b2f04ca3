/**
 * The main file of a plugin that tries to escape its confinement. Each attempt returns when it succeeds and
 * throws when it fails.
 */
import { dlopen, FFIType, type Pointer, ptr, read } from "bun:ffi";
import child from "node:child_process";
import dgram from "node:dgram";
import dns from "node:dns/promises";
import fs from "node:fs";
import http from "node:http";
import http2 from "node:http2";
import net from "node:net";
import os from "node:os";
import tls from "node:tls";
import { Worker } from "node:worker_threads";

/** The resources that must, or must not, be reachable. */
export interface World {
  /** A folder outside of all permissions, which contains `secret.txt`. */
  outside: string;
  /** A folder named in some permissions. */
  inside: string;
  /** The plugin's own folder. */
  own: string;
  tcp: number;
  udp: number;
  http: number;
  allowedHttp: number;
  unixSocket: string;
  /** A process that must not be affected, and the broker's own process. */
  victim: number;
  host: number;
  nodeAddon: string;
}

type Attempt = (world: World) => unknown;

function once<T>(start: (resolve: (value: T) => void, reject: (error: Error) => void) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    setTimeout(() => reject(new Error("nothing came")), 1_500);
    start(resolve, reject);
  });
}

function received(socket: net.Socket): Promise<string> {
  return once((resolve, reject) => {
    socket.on("data", (data) => resolve(String(data)));
    socket.on("error", reject);
    socket.on("close", () => reject(new Error("closed")));
  });
}

function fail(why: string): never {
  throw new Error(why);
}

async function fetchText(url: string, options?: object): Promise<string> {
  // Otherwise a request could be sent on a connection that is being closed, and Bun does not retry a POST.
  const response = await fetch(url, { keepalive: false, ...options } as RequestInit);
  return response.ok ? response.text() : fail(`status ${response.status}`);
}

const c = () =>
  dlopen("libc.so.6", {
    open: { args: [FFIType.ptr, FFIType.i32], returns: FFIType.i32 },
    fork: { args: [], returns: FFIType.i32 },
    kill: { args: [FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    ptrace: { args: [FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64], returns: FFIType.i64 },
    unshare: { args: [FFIType.i32], returns: FFIType.i32 },
    system: { args: [FFIType.ptr], returns: FFIType.i32 },
    syscall: {
      args: [FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64, FFIType.i64],
      returns: FFIType.i64,
    },
    setpriority: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
    chroot: { args: [FFIType.ptr], returns: FFIType.i32 },
  }).symbols;
const text = (value: string) => ptr(Buffer.from(`${value}\0`));
/** No object has that id: any error but EPERM means that the call was not denied. */
const allowed = (value: number | bigint) =>
  Number(value) >= 0 || errno() !== EPERM ? "let in" : fail("refused");
const EPERM = 1;
const errno = () =>
  read.i32(
    dlopen("libc.so.6", {
      __errno_location: { args: [], returns: FFIType.ptr },
    }).symbols.__errno_location() as Pointer,
  );
const positive = (value: number | bigint) => (Number(value) >= 0 ? value : fail(`returned ${value}`));

/** The attempts by name. */
export const ATTEMPTS: Record<string, Attempt> = {
  "read a file": ({ outside }) => fs.readFileSync(`${outside}/secret.txt`, "utf8"),
  "read a file through Bun.file": ({ outside }) => Bun.file(`${outside}/secret.txt`).text(),
  "read a file through fetch": ({ outside }) => fetchText(`file://${outside}/secret.txt`),
  "read a file by way of ..": ({ own, outside }) =>
    fs.readFileSync(`${own}/${"../".repeat(20)}${outside.slice(1)}/secret.txt`, "utf8"),
  "read a file by way of .. from an allowed folder": ({ inside, outside }) =>
    fs.readFileSync(`${inside}/${"../".repeat(20)}${outside.slice(1)}/secret.txt`, "utf8"),
  "read through a link that was there": ({ inside }) => fs.readFileSync(`${inside}/link-out`, "utf8"),
  "read through a linked folder": ({ inside }) => fs.readFileSync(`${inside}/folder-out/secret.txt`, "utf8"),
  "make a link and read through it": ({ inside, outside }) => {
    fs.symlinkSync(`${outside}/secret.txt`, `${inside}/made-link`);
    return fs.readFileSync(`${inside}/made-link`, "utf8");
  },
  "make a hard link and read it": ({ inside, outside }) => {
    fs.linkSync(`${outside}/secret.txt`, `${inside}/hard`);
    return fs.readFileSync(`${inside}/hard`, "utf8");
  },
  "copy a file": ({ inside, outside }) => fs.copyFileSync(`${outside}/secret.txt`, `${inside}/copy`),
  "rename a file into an allowed folder": ({ inside, outside }) =>
    fs.renameSync(`${outside}/secret.txt`, `${inside}/moved`),
  "list a folder": ({ outside }) => fs.readdirSync(outside),
  "list the parent of an allowed folder": ({ inside }) => fs.readdirSync(`${inside}/..`),
  "watch a folder and read what changes": ({ outside }) =>
    fs.opendirSync(outside).readSync()?.name ?? fail("empty"),
  "write a file": ({ outside }) => fs.writeFileSync(`${outside}/written`, "x"),
  "append to a file": ({ outside }) => fs.appendFileSync(`${outside}/secret.txt`, "x"),
  "truncate a file": ({ outside }) => fs.truncateSync(`${outside}/secret.txt`),
  "delete a file": ({ outside }) => fs.rmSync(`${outside}/secret.txt`),
  "make a folder": ({ outside }) => fs.mkdirSync(`${outside}/made`),
  "change a file's mode": ({ outside }) => fs.chmodSync(`${outside}/secret.txt`, 0o777),
  "change a file's owner": ({ outside }) => fs.chownSync(`${outside}/secret.txt`, 1, 1),
  "change a file's times": ({ outside }) => fs.utimesSync(`${outside}/secret.txt`, 1, 1),
  "write into the plugin's own folder": ({ own }) => fs.writeFileSync(`${own}/main.ts`, "x"),
  "write below an allowed-to-read folder": ({ inside }) => fs.writeFileSync(`${inside}/ok.txt`, "x"),
  "read what is denied below what is allowed": ({ inside }) =>
    fs.readFileSync(`${inside}/private/secret.txt`, "utf8"),
  "list what is denied below what is allowed": ({ inside }) => fs.readdirSync(`${inside}/private`),
  "read a denied dotfile": ({ inside }) => fs.readFileSync(`${inside}/sub/.env`, "utf8"),
  "rename a denied folder to a name that is allowed": ({ inside }) => {
    fs.renameSync(`${inside}/private`, `${inside}/public`);
    return fs.readFileSync(`${inside}/public/secret.txt`, "utf8");
  },
  "read /etc/shadow": () => fs.readFileSync("/etc/shadow", "utf8"),
  "read the host's environment in /proc": ({ host }) => fs.readFileSync(`/proc/${host}/environ`, "utf8"),
  "read the parent's environment in /proc": () => fs.readFileSync(`/proc/${process.ppid}/environ`, "utf8"),
  "read the host's memory": ({ host }) => fs.openSync(`/proc/${host}/mem`, "r"),
  "read through /proc/self/root": ({ outside }) =>
    fs.readFileSync(`/proc/self/root${outside}/secret.txt`, "utf8"),
  "read through /proc/self/cwd": ({ outside }) =>
    fs.readFileSync(`/proc/self/cwd/${"../".repeat(20)}${outside.slice(1)}/secret.txt`, "utf8"),
  "enter the host's root through /proc": ({ host, outside }) =>
    fs.readFileSync(`/proc/${host}/root${outside}/secret.txt`, "utf8"),
  "list processes": () => fs.readdirSync("/proc"),
  "read the host's command line": ({ host }) => fs.readFileSync(`/proc/${host}/cmdline`, "utf8"),
  "write a kernel setting": () => fs.writeFileSync("/proc/sys/kernel/hostname", "x"),
  "score itself safe from the kernel's killer": () => fs.writeFileSync("/proc/self/oom_score_adj", "-1000"),
  "find a secret in the environment": () =>
    JSON.stringify({ ...process.env, ...Bun.env }).includes("planted-secret") ? "found" : fail("clean"),
  "connect to a port of this machine": ({ tcp }) => received(net.connect(tcp, "127.0.0.1")),
  "connect by IPv6": ({ tcp }) => received(net.connect(tcp, "::1")),
  "connect by mapped IPv6": ({ tcp }) => received(net.connect(tcp, "::ffff:127.0.0.1")),
  "connect by name": ({ tcp }) => received(net.connect(tcp, "localhost")),
  "connect with TLS": ({ tcp }) =>
    once((resolve, reject) => {
      const socket = tls.connect(tcp, "127.0.0.1", { rejectUnauthorized: false });
      // The other side speaks no TLS: an answer that is not understood is an answer.
      socket.on("error", (error) =>
        /refused|denied|EACCES|EPERM|ENETUNREACH/i.test(`${error}`) ? reject(error) : resolve("reached"),
      );
      socket.on("connect", () => resolve("connected"));
    }),
  "connect with Bun.connect": ({ tcp }) =>
    once((resolve, reject) => {
      const data = (_: unknown, chunk: Buffer) => resolve(String(chunk));
      Bun.connect({ hostname: "127.0.0.1", port: tcp, socket: { data } }).catch(reject);
    }),
  "fetch from a host": ({ http: port }) => fetchText(`http://127.0.0.1:${port}/`),
  "fetch by IPv6": ({ http: port }) => fetchText(`http://[::1]:${port}/`),
  "fetch by an odd spelling of the address": ({ http: port }) => fetchText(`http://2130706433:${port}/`),
  "fetch with a proxy of its own": ({ http: port }) =>
    fetchText("http://example.org/", { proxy: `http://127.0.0.1:${port}` }),
  "fetch over a unix socket": ({ unixSocket }) => fetchText("http://localhost/", { unix: unixSocket }),
  "follow a redirect to another host": ({ allowedHttp }) =>
    fetchText(`http://127.0.0.1:${allowedHttp}/redirect`),
  "name another host in the Host header": ({ allowedHttp }) =>
    fetchText(`http://127.0.0.1:${allowedHttp}/host`, { headers: { Host: "elsewhere.example" } }).then(
      (host) => (host.startsWith("elsewhere") ? host : fail(host)),
    ),
  "smuggle a second request through the proxy": ({ http: port }) =>
    once((resolve, reject) => {
      const proxy = new URL(process.env.HTTP_PROXY ?? fail("no proxy"));
      const socket = net.connect(Number(proxy.port), proxy.hostname);
      socket.write(`CONNECT 127.0.0.1:${port} HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n`);
      socket.on("data", (data) =>
        String(data).includes("SECRET") ? resolve("got it") : reject(new Error("refused")),
      );
      socket.on("error", reject);
    }),
  "request with node:http": ({ http: port }) =>
    once((resolve, reject) => {
      http
        .get({ host: "127.0.0.1", port, agent: false }, (response) => resolve(String(response.statusCode)))
        .on("error", reject);
    }),
  "open http2": ({ tcp }) =>
    once((resolve, reject) => {
      const session = http2.connect(`http://127.0.0.1:${tcp}`);
      session.on("connect", () => resolve("connected"));
      session.on("error", reject);
    }),
  "open a web socket": ({ http: port }) =>
    once((resolve, reject) => {
      const socket = new WebSocket(`ws://127.0.0.1:${port}/`);
      socket.onopen = () => resolve("open");
      socket.onerror = () => reject(new Error("refused"));
    }),
  "send a datagram": ({ udp }) =>
    once((resolve, reject) => {
      const socket = dgram.createSocket("udp4");
      socket.on("error", reject);
      socket.on("message", (message) => resolve(String(message)));
      socket.send("hello", udp, "127.0.0.1", (error) => error && reject(error));
    }),
  "ask a name server": () => dns.resolve4("example.org"),
  "connect to a unix socket": ({ unixSocket }) => received(net.connect(unixSocket)),
  "listen on a port": () =>
    once((resolve, reject) => {
      const server = net.createServer();
      server.on("error", reject);
      server.listen(0, "127.0.0.1", () => resolve("listening"));
    }),
  "serve with Bun.serve": () => String(Bun.serve({ port: 0, fetch: () => new Response("x") }).port),
  "listen on a unix socket": ({ inside }) =>
    once((resolve, reject) => {
      const server = net.createServer();
      server.on("error", reject);
      server.listen(`${inside}/own.sock`, () => resolve("listening"));
    }),
  "open a raw socket": () => positive(c().socket(2, 3, 1)),
  "open a packet socket": () => positive(c().socket(17, 3, 0)),
  "open a netlink socket": () => positive(c().socket(16, 3, 0)),
  "open a vsock": () => positive(c().socket(40, 1, 0)),
  "spawn a program": () => Bun.spawnSync(["/bin/true"]).exitCode,
  "spawn with node": () => child.execFileSync("/bin/true").length,
  "spawn a shell": () => child.execSync("true").length,
  "run Bun's shell": () => Bun.$`/bin/cat /etc/hostname`.text(),
  "spawn Bun itself": () => Bun.spawnSync([process.execPath, "--version"]).exitCode,
  "fork with node": ({ own }) =>
    once((resolve, reject) => {
      const forked = child.fork(`${own}/main.ts`);
      forked.on("error", reject);
      forked.on("spawn", () => resolve("forked"));
    }),
  "read from a thread": ({ outside }) =>
    once((resolve, reject) => {
      const code = `const {parentPort}=require("worker_threads");try{parentPort.postMessage(require("fs").readFileSync(${JSON.stringify(`${outside}/secret.txt`)},"utf8"))}catch(e){parentPort.postMessage(null)}`;
      const thread = new Worker(code, { eval: true });
      thread.on("message", (value) => (value === null ? reject(new Error("refused")) : resolve(value)));
      thread.on("error", reject);
    }),
  "open a file by ffi": ({ outside }) => positive(c().open(text(`${outside}/secret.txt`), 0)),
  "fork by ffi": () => positive(c().fork()),
  "run a command by ffi": () => (c().system(text("true")) === 0 ? "ran" : fail("refused")),
  "signal the victim by ffi": ({ victim }) => positive(c().kill(victim, 9)),
  "signal everything by ffi": () => positive(c().kill(-1, 9)),
  "signal its process group by ffi": () => positive(c().kill(0, 15)),
  "trace the host by ffi": ({ host }) => positive(c().ptrace(16, host, 0, 0)),
  "make namespaces by ffi": () => positive(c().unshare(0x10000000)),
  "change the root by ffi": ({ inside }) => positive(c().chroot(text(inside))),
  "set up io_uring by ffi": () => positive(c().syscall(425, 8, ptr(new Uint8Array(256)), 0, 0)),
  "attach memory that others share by ffi": () =>
    process.arch === "x64" ? allowed(c().syscall(30, 0x7fffffff, 0, 0, 0)) : fail("not here"),
  "take others' messages by ffi": () =>
    process.arch === "x64" ? allowed(c().syscall(70, 0x7fffffff, 0, 0, 0)) : fail("not here"),
  "be told of what comes to be in a folder by ffi": () =>
    process.arch === "x64" ? positive(c().syscall(294, 0, 0, 0, 0)) : fail("not here"),
  "keep data in a file of memory by ffi": () =>
    process.arch === "x64" ? positive(c().syscall(319, text("x"), 0, 0, 0)) : fail("not here"),
  "fill the buffers of thousands of sockets by ffi": () => {
    if (process.arch !== "x64") return fail("not here");
    const { syscall } = c();
    syscall(302, 0, 7, ptr(new BigUint64Array([8_192n, 8_192n])), 0);
    const pairs: Int32Array[] = [];
    try {
      while (pairs.length < 2_000) {
        const pair = new Int32Array(2);
        positive(syscall(53, 1, 1, 0, ptr(pair)));
        pairs.push(pair);
      }
      return "filled";
    } finally {
      for (const descriptor of pairs.flatMap((pair) => [...pair])) fs.closeSync(descriptor);
    }
  },
  "make the host slow by ffi": ({ host }) => positive(c().setpriority(0, host, 19)),
  "limit the host's resources by ffi": ({ host }) =>
    process.arch === "x64"
      ? positive(c().syscall(302, host, 4, ptr(new BigUint64Array([0n, 0n])), 0))
      : fail("not here"),
  "outlive the host by ffi": () =>
    process.arch === "x64" ? positive(c().syscall(157, 1, 0, 0, 0)) : fail("not here"),
  "signal the victim": ({ victim }) => process.kill(victim, "SIGKILL"),
  "signal the host": ({ host }) => process.kill(host, "SIGTERM"),
  "load a native addon": ({ nodeAddon }) => process.dlopen({ exports: {} } as NodeJS.Module, nodeAddon),
  "open the inspector": async () => {
    const inspector = await import("node:inspector");
    inspector.open(0, "127.0.0.1");
    return inspector.url() ?? fail("not open");
  },
  "raise its priority": () => os.setPriority(0, -10),
  "open sqlite elsewhere": async ({ outside }) => {
    const { Database } = await import("bun:sqlite");
    return new Database(`${outside}/data.sqlite`).query("select 1").all().length;
  },
  "import code from elsewhere": ({ outside }) => import(`${outside}/code.ts`),
  "require code from elsewhere": ({ outside }) => require(`${outside}/code.ts`) as unknown,
  "build from elsewhere": async ({ outside }) => {
    const built = await Bun.build({ entrypoints: [`${outside}/code.ts`], throw: true });
    return built.outputs[0]?.text() ?? fail("nothing built");
  },
  "read with a glob": ({ outside }) => [...new Bun.Glob("*").scanSync(outside)][0] ?? fail("nothing"),

  "read an allowed file": ({ inside }) => fs.readFileSync(`${inside}/ok.txt`, "utf8"),
  "list an allowed folder": ({ inside }) => fs.readdirSync(`${inside}/sub`),
  "read an allowed dotfile": ({ inside }) => fs.readFileSync(`${inside}/sub/.profile`, "utf8"),
  "write an allowed file": ({ inside }) => {
    fs.mkdirSync(`${inside}/new`);
    fs.writeFileSync(`${inside}/new/a.txt`, "one");
    fs.renameSync(`${inside}/new/a.txt`, `${inside}/new/b.txt`);
    fs.appendFileSync(`${inside}/new/b.txt`, "two");
    fs.truncateSync(`${inside}/new/b.txt`, 3);
    const back = fs.readFileSync(`${inside}/new/b.txt`, "utf8");
    fs.rmSync(`${inside}/new`, { recursive: true });
    return back === "one" ? back : fail(back);
  },
  "write with Bun.write": ({ inside }) => Bun.write(`${inside}/bun.txt`, "x"),
  "fetch from the allowed host": ({ allowedHttp }) => fetchText(`http://127.0.0.1:${allowedHttp}/`),
  "post to the allowed host": ({ allowedHttp }) =>
    fetchText(`http://127.0.0.1:${allowedHttp}/echo`, { method: "POST", body: "x".repeat(200_000) }).then(
      (body) => (body.length === 200_000 ? body.length : fail(`${body.length}`)),
    ),
  "read an allowed variable": () => process.env.ALLOWED_VALUE ?? fail("not there"),
  "read its own folder": ({ own }) => fs.readFileSync(`${own}/package.json`, "utf8"),
  "run an allowed command": async () => {
    const { shell } = (await import("reef/broker" as string)) as typeof import("../client.js");
    const { code, stdout } = await shell.execute("echo", ["hello"]);
    return code === 0 && stdout === "hello\n" ? stdout : fail(`${code} ${stdout}`);
  },
  "run an allowed command with other arguments": async () => {
    const { shell } = (await import("reef/broker" as string)) as typeof import("../client.js");
    return shell.execute("echo", ["bye"]);
  },
  "read a secret through an allowed command": async ({ outside }) => {
    const { shell } = (await import("reef/broker" as string)) as typeof import("../client.js");
    const { code } = await shell.execute("cat", [`${outside}/secret.txt`]);
    return code === 0 ? "read" : fail(`exit code ${code}`);
  },
  "run a program that is not allowed": async () => {
    const { shell } = (await import("reef/broker" as string)) as typeof import("../client.js");
    return shell.execute("id", []);
  },
  "store without the permission": async () => {
    const { storage } = (await import("reef/broker" as string)) as typeof import("../client.js");
    return storage.set("a", 1);
  },
  "emit without the permission": async () => {
    const { events } = (await import("reef/broker" as string)) as typeof import("../client.js");
    return events.emit("reef:event", {});
  },
  "call without the permission": async () => {
    const { services } = (await import("reef/broker" as string)) as typeof import("../client.js");
    return services.call("none", "main", "attempt", {});
  },
};

export default {
  services: {
    main: {
      async attempt(raw: unknown) {
        const { name, world } = raw as { name: string; world: World };
        const attempt = ATTEMPTS[name] ?? fail(`unknown attempt ${name}`);
        const got = await attempt(world);
        return { got: String(got).slice(0, 200) };
      },
    },
  },
};
