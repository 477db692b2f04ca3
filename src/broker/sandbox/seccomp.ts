/** Seccomp: filters the system calls of a plugin. */
import { addressOf, syscall } from "./libc.js";
import { AUDIT_ARCHITECTURE, numberOf, type SyscallName } from "./syscalls.js";

/** What the filter allows. */
export interface SeccompOptions {
  /** The process to be filtered, which may signal and tune only itself. */
  pid: number;
  /** Whether TCP over IPv4 is allowed; destinations are restricted by Landlock and the network namespace. */
  tcp: boolean;
  /** Whether it may start child processes. */
  children: boolean;
  /** The kernel's Landlock version; old ones do not cover `truncate` and signals. */
  landlock: number;
}

const ALLOW = 0x7fff0000;
const KILL = 0x80000000;
const refuse = (errno: number) => 0x00050000 | errno;
const EPERM = refuse(1);
const EACCES = refuse(13);
const ENOSYS = refuse(38);

const LOAD = 0x20;
const EQUAL = 0x15;
const AT_LEAST = 0x35;
const ANY_BIT = 0x45;
const AND = 0x54;
const RETURN = 0x06;

const NUMBER_OFFSET = 0;
const ARCH_OFFSET = 4;
const argument = (index: number) => 16 + index * 8;

const CLONE_THREAD = 0x10000;
const CLONE_NAMESPACES = 0x7e020000;
const AF_UNIX = 1;
const AF_INET = 2;
const SOCK_STREAM = 1;
const IPPROTO_TCP = 6;
const PR_SET_PDEATHSIG = 1;
const TIOCSTI = 0x5412;
const TIOCLINUX = 0x541c;

/**
 * System calls that plugins never need: those that concern the kernel, other processes and objects shared by
 * id, mounts, clocks, keys, file metadata, and notifications about files that may be inaccessible.
 */
const NEVER: SyscallName[] = [
  "acct", "add_key", "adjtimex", "bpf", "chroot", "clock_adjtime", "clock_settime", "delete_module",
  "fanotify_init", "fanotify_mark", "finit_module", "fsconfig", "fsmount", "fsopen", "fspick",
  "init_module", "inotify_add_watch", "inotify_init", "inotify_init1", "io_uring_enter",
  "io_uring_register", "io_uring_setup", "ioperm", "iopl", "ioprio_set", "kcmp", "kexec_file_load",
  "kexec_load", "keyctl", "migrate_pages", "modify_ldt", "mount", "mount_setattr", "move_mount",
  "move_pages", "mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend",
  "mq_unlink", "msgctl", "msgget", "msgrcv", "msgsnd", "name_to_handle_at", "open_by_handle_at",
  "open_tree", "open_tree_attr", "perf_event_open", "personality", "pidfd_getfd", "pidfd_send_signal",
  "pivot_root", "process_madvise", "process_mrelease", "process_vm_readv", "process_vm_writev",
  "ptrace", "quotactl", "quotactl_fd", "reboot", "request_key", "rt_sigqueueinfo", "rt_tgsigqueueinfo",
  "semctl", "semget", "semop", "semtimedop", "setdomainname", "sethostname", "setns", "setpriority",
  "settimeofday", "shmat", "shmctl", "shmdt", "shmget", "swapoff", "swapon", "syslog", "umount2",
  "unshare", "userfaultfd", "vhangup",
  "chmod", "chown", "fchmod", "fchmodat", "fchmodat2", "fchown", "fchownat", "lchown", "setxattr",
  "lsetxattr", "fsetxattr", "setxattrat", "removexattr", "lremovexattr", "fremovexattr", "removexattrat",
  "utime", "utimes", "futimesat", "utimensat",
]; // biome-ignore format: a table

type Instruction = [code: number, k: number, jumpTrue?: number, jumpFalse?: number];

/** The filter as a BPF program. Exported for tests. */
export function program(options: SeccompOptions): Instruction[] {
  const out: Instruction[] = [
    [LOAD, ARCH_OFFSET],
    [EQUAL, AUDIT_ARCHITECTURE ?? 0, 1, 0],
    [RETURN, KILL],
    [LOAD, NUMBER_OFFSET],
  ];
  if (process.arch === "x64") out.push([AT_LEAST, 0x40000000, 0, 1], [RETURN, ENOSYS]);
  const on = (name: SyscallName, body: Instruction[]) => {
    if (numberOf(name) < 0) return;
    out.push([EQUAL, numberOf(name), 0, body.length], ...body);
  };
  for (const name of NEVER) on(name, [[RETURN, EPERM]]);
  if (options.landlock < 3) on("truncate", [[RETURN, EPERM]]);
  // Their memory does not count as the process's.
  for (const name of ["memfd_create", "memfd_secret"] as const) on(name, [[RETURN, ENOSYS]]);
  on("bind", [[RETURN, EACCES]]);
  on("listen", [[RETURN, EACCES]]);
  on("socket", options.tcp ? TCP_ONLY : [[RETURN, EACCES]]);
  on("socketpair", STREAM_PAIR);
  on("prctl", argumentIs(0, [PR_SET_PDEATHSIG], EPERM, ALLOW));
  on("ioctl", argumentIs(1, [TIOCSTI, TIOCLINUX], EPERM, ALLOW));
  on("clone3", [[RETURN, ENOSYS]]);
  for (const name of [
    "prlimit64",
    "sched_setaffinity",
    "sched_setattr",
    "sched_setparam",
    "sched_setscheduler",
  ] as const) {
    on(name, argumentIs(0, [0, options.pid], ALLOW, EPERM));
  }
  if (options.children) {
    // A command's processes are found, and ended, by their group.
    for (const name of ["setpgid", "setsid"] as const) on(name, [[RETURN, EPERM]]);
    on("clone", [
      [LOAD, argument(0)],
      [ANY_BIT, CLONE_NAMESPACES, 0, 1],
      [RETURN, EPERM],
      [RETURN, ALLOW],
    ]);
  } else {
    on("clone", [
      [LOAD, argument(0)],
      [ANY_BIT, CLONE_THREAD, 1, 0],
      [RETURN, EPERM],
      [RETURN, ALLOW],
    ]);
    on("fork", [[RETURN, EPERM]]);
    on("vfork", [[RETURN, EPERM]]);
  }
  if (!options.children || options.landlock < 6) {
    on("kill", argumentIs(0, [options.pid], ALLOW, EPERM));
    on("tgkill", argumentIs(0, [options.pid], ALLOW, EPERM));
    on("tkill", [[RETURN, EPERM]]);
  }
  out.push([RETURN, ALLOW]);
  return out;
}

const TCP_ONLY: Instruction[] = [
  [LOAD, argument(0)],
  [EQUAL, AF_INET, 0, 6],
  [LOAD, argument(1)],
  [AND, 0xf],
  [EQUAL, SOCK_STREAM, 0, 3],
  [LOAD, argument(2)],
  [EQUAL, 0, 2, 0],
  [EQUAL, IPPROTO_TCP, 1, 0],
  [RETURN, EACCES],
  [RETURN, ALLOW],
];

// A datagram pair could be reconnected to any socket file; a connected stream pair cannot.
const STREAM_PAIR: Instruction[] = [
  [LOAD, argument(0)],
  [EQUAL, AF_UNIX, 0, 3],
  [LOAD, argument(1)],
  [AND, 0xf],
  [EQUAL, SOCK_STREAM, 1, 0],
  [RETURN, EACCES],
  [RETURN, ALLOW],
];

function argumentIs(index: number, values: number[], then: number, otherwise: number): Instruction[] {
  const tests = values.map((value, at): Instruction => [EQUAL, value >>> 0, values.length - at, 0]);
  return [[LOAD, argument(index)], ...tests, [RETURN, otherwise], [RETURN, then]];
}

/** Installs the filter on this thread permanently, and on what it executes. */
export function filterSelf(options: SeccompOptions): void {
  const instructions = program(options);
  const code = new DataView(new ArrayBuffer(instructions.length * 8));
  for (const [index, [operation, k, jumpTrue = 0, jumpFalse = 0]] of instructions.entries()) {
    code.setUint16(index * 8, operation, true);
    code.setUint8(index * 8 + 2, jumpTrue);
    code.setUint8(index * 8 + 3, jumpFalse);
    code.setUint32(index * 8 + 4, k >>> 0, true);
  }
  const body = new Uint8Array(code.buffer);
  const header = new DataView(new ArrayBuffer(16));
  header.setUint16(0, instructions.length, true);
  header.setBigUint64(8, addressOf(body), true);
  syscall("seccomp", numberOf("seccomp"), 1, 0, addressOf(new Uint8Array(header.buffer)));
}
