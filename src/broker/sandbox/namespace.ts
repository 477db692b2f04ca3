/** Network namespaces. */
import { addressOf, syscall } from "./libc.js";
import { numberOf } from "./syscalls.js";

const CLONE_NEWNET = 0x40000000;
const AF_INET = 2;
const SOCK_DGRAM_CLOEXEC = 0o2000002;
const SIOCSIFFLAGS = 0x8914;
const IFF_UP_RUNNING = 0x41;

/**
 * Moves this thread into a new network namespace that contains only the loopback interface, and brings that up.
 * `inside` means that the caller is in a new namespace already.
 */
export function enterEmptyNetwork(inside: boolean): void {
  if (!inside) syscall("unshare", numberOf("unshare"), CLONE_NEWNET);
  const socket = syscall("socket", numberOf("socket"), AF_INET, SOCK_DGRAM_CLOEXEC, 0);
  const request = new Uint8Array(40);
  request.set(new TextEncoder().encode("lo"));
  new DataView(request.buffer).setInt16(16, IFF_UP_RUNNING, true);
  syscall("ioctl", numberOf("ioctl"), socket, SIOCSIFFLAGS, addressOf(request));
}
