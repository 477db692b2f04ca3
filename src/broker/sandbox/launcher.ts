/**
 * The sandbox launcher: confines itself according to a plan and then executes the plan's program. It must
 * execute, because confining a running Bun would leave its helper threads unconfined. With `--probe`, it only
 * reports what this machine can enforce.
 */
import { openSync, readSync, writeSync } from "node:fs";
import { landlockVersion, READ, restrictSelf } from "./landlock.js";
import { addressOf, cString, SyscallError, syscall } from "./libc.js";
import { enterEmptyNetwork } from "./namespace.js";
import { IN_NAMESPACE, type LaunchPlan, type ProbeResult } from "./policy.js";
import { filterSelf } from "./seccomp.js";
import { AUDIT_ARCHITECTURE, numberOf } from "./syscalls.js";

const INSIDE = process.argv.includes(IN_NAMESPACE);
const PR_SET_PDEATHSIG = 1;
const PR_SET_NO_NEW_PRIVS = 38;
const PR_CAPBSET_DROP = 24;
const LAST_CAPABILITY = 63;
const SIGKILL = 9;
const EINVAL = 22;
const EPERM = 1;
const RLIMIT_CORE = 4;
const RLIMIT_NOFILE = 7;
/**
 * Data in sockets and pipes does not count as a process's memory, so its amount is limited by the number of
 * descriptors.
 */
const MAX_OPEN_FILES = 1024n;
const CLOSE_RANGE_CLOEXEC = 4;
const FIRST_PRIVATE_DESCRIPTOR = 4;

function readLine(): string {
  const chunks: Uint8Array[] = [];
  const byte = new Uint8Array(65_536);
  for (;;) {
    const count = readSync(0, byte);
    if (count === 0) throw new Error("the launcher did not receive a plan");
    chunks.push(byte.slice(0, count));
    if (byte[count - 1] === 10) return Buffer.concat(chunks).toString("utf8");
  }
}

function prctl(option: number, value: number): void {
  syscall("prctl", numberOf("prctl"), option, value, 0, 0, 0);
}

/** Lowers a resource limit, soft and hard. */
function lowerLimit(resource: number, max: bigint): void {
  const limit = new BigUint64Array(2);
  const address = addressOf(new Uint8Array(limit.buffer));
  syscall("prlimit64", numberOf("prlimit64"), 0, resource, 0, address);
  const [, present = max] = limit;
  limit.fill(present < max ? present : max);
  syscall("prlimit64", numberOf("prlimit64"), 0, resource, address, 0);
}

function dropCapabilities(): void {
  for (let capability = 0; capability <= LAST_CAPABILITY; capability++) {
    try {
      prctl(PR_CAPBSET_DROP, capability);
    } catch (error) {
      // EINVAL: past the last one this kernel knows. EPERM: there are none to drop.
      if (error instanceof SyscallError && [EINVAL, EPERM].includes(error.errno)) return;
      throw error;
    }
  }
}

/** Starts a program in the background with the script's own stdin, which a shell would otherwise redirect. */
const IN_BACKGROUND = 'exec 3<&0; "$@" <&3 3<&- &';

/**
 * Starts a program that shares our stdin and is not our child: the executed program may wait for all its
 * children. Resolves with the program's first output; empty if it closes its output at once.
 */
async function startDetached(program: string[]): Promise<string> {
  const shell = Bun.spawn(["/bin/sh", "-c", IN_BACKGROUND, "sh", ...program], {
    stdio: ["inherit", "pipe", "ignore"],
    env: {},
  });
  const { value } = await shell.stdout.getReader().read();
  await shell.exited;
  return new TextDecoder().decode(value);
}

async function startRelay(plan: LaunchPlan): Promise<number | null> {
  if (plan.proxySocket === null) return null;
  const port = Number(await startDetached([process.execPath, plan.relay, plan.proxySocket]));
  if (!Number.isInteger(port) || port <= 0) throw new Error("the network relay did not start");
  return port;
}

/**
 * Starts a process that kills the process group when our stdin is closed: a server that is killed cannot do so
 * itself.
 */
async function startWatchdog(): Promise<void> {
  await startDetached(["/bin/sh", "-c", "exec >&-; read -r line; kill -KILL 0"]);
}

function execute(plan: LaunchPlan, env: Record<string, string>): never {
  const strings = (values: string[]) => {
    const bytes = values.map(cString);
    return { bytes, table: new BigUint64Array([...bytes.map(addressOf), 0n]) };
  };
  const argv = strings(plan.argv);
  const environment = strings(Object.entries(env).map(([name, value]) => `${name}=${value}`));
  const path = cString(plan.program);
  process.chdir(plan.cwd);
  const bytesOf = (table: BigUint64Array) => addressOf(new Uint8Array(table.buffer));
  syscall("execve", numberOf("execve"), addressOf(path), bytesOf(argv.table), bytesOf(environment.table));
  throw new Error(`execve returned, holding ${argv.bytes.length + environment.bytes.length} strings`);
}

async function launch(plan: LaunchPlan): Promise<never> {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  try {
    enterEmptyNetwork(INSIDE);
  } catch (error) {
    // Without a network permission, all sockets are refused anyway.
    if (plan.proxySocket !== null || !(error instanceof SyscallError)) throw error;
  }
  const port = await startRelay(plan);
  if (plan.children) await startWatchdog();
  const env = { ...plan.env };
  if (port !== null) {
    const proxy = `http://127.0.0.1:${port}`;
    Object.assign(env, { HTTP_PROXY: proxy, HTTPS_PROXY: proxy, http_proxy: proxy, https_proxy: proxy });
  }
  lowerLimit(RLIMIT_CORE, 0n);
  lowerLimit(RLIMIT_NOFILE, MAX_OPEN_FILES);
  syscall("close_range", numberOf("close_range"), FIRST_PRIVATE_DESCRIPTOR, 0xffffffff, CLOSE_RANGE_CLOEXEC);
  syscall("dup3", numberOf("dup3"), openSync("/dev/null", "r"), 0, 0);
  dropCapabilities();
  prctl(PR_SET_NO_NEW_PRIVS, 1);
  const version = landlockVersion();
  if (version === 0) throw new Error("this kernel has no Landlock");
  const ports = port === null ? [] : [port];
  // Bun reads its own memory map and size; the process id stays the same after executing.
  const own = ["maps", "statm"].map((name) => ({ path: `/proc/${process.pid}/${name}`, rights: READ }));
  const base = [...plan.base, ...own];
  for (const layer of plan.layers) restrictSelf(version, [...base, ...layer], ports);
  filterSelf({ pid: process.pid, tcp: port !== null, children: plan.children, landlock: version });
  return execute(plan, env);
}

function probe(): ProbeResult {
  const landlock = landlockVersion();
  const works = (attempt: () => void) => {
    try {
      attempt();
      return true;
    } catch (error) {
      if (error instanceof SyscallError) return false;
      throw error;
    }
  };
  const netns = works(() => enterEmptyNetwork(INSIDE));
  prctl(PR_SET_NO_NEW_PRIVS, 1);
  const seccomp =
    AUDIT_ARCHITECTURE !== undefined &&
    works(() => filterSelf({ pid: process.pid, tcp: false, children: false, landlock }));
  return { landlock, seccomp, netns };
}

if (process.argv.includes("--probe")) {
  writeSync(1, JSON.stringify(probe()));
} else {
  try {
    await launch(JSON.parse(readLine()) as LaunchPlan);
  } catch (error) {
    writeSync(2, `sandbox: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(71);
  }
}
