/** Plugins that misbehave, for tests. */
import type { BrokerErrorCode } from "../errors.js";
import type { PluginFixture } from "./fixtures.js";

/** A misbehaviour of a worker and what its caller should see. */
export interface Misbehaviour {
  name: string;
  /** The body of the method. */
  body: string;
  /** Milliseconds. */
  timeout: number;
  expected: BrokerErrorCode[] | "answer";
}

/** Code that starts this many idle threads. */
export const startThreads = (count: number) => `
  const { dlopen, ptr } = require("bun:ffi");
  const take = (...args) => ({ args, returns: "i32" });
  const { symbols } = dlopen("libc.so.6", {
    pthread_create: take("ptr", "ptr", "ptr", "ptr"),
    pthread_attr_init: take("ptr"),
    pthread_attr_setstacksize: take("ptr", "u64"),
    dlsym: { args: ["ptr", "ptr"], returns: "ptr" },
  });
  const attributes = new Uint8Array(64);
  symbols.pthread_attr_init(ptr(attributes));
  symbols.pthread_attr_setstacksize(ptr(attributes), 131072n);
  const pause = symbols.dlsym(null, ptr(Uint8Array.of(112, 97, 117, 115, 101, 0)));
  for (let n = 0; n < ${count}; n++)
    symbols.pthread_create(ptr(new BigUint64Array(1)), ptr(attributes), pause, null);`;

/** All misbehaviours. */
export const MISBEHAVIOURS: Misbehaviour[] = [
  { name: "loop", body: "for (;;) ;", timeout: 100, expected: ["timeout"] },
  {
    name: "throw",
    body: "throw new RangeError('thrown on purpose');",
    timeout: 5_000,
    expected: ["method_failed"],
  },
  {
    name: "reject unhandled",
    body: "Promise.reject(new Error('nobody listens')); return new Promise(() => {});",
    timeout: 5_000,
    expected: ["worker_died"],
  },
  { name: "exit", body: "process.exit(3);", timeout: 5_000, expected: ["worker_died"] },
  {
    name: "allocate for ever",
    body: "const kept = []; const grow = () => { for (let i = 0; i < 8; i++) kept.push(new Uint8Array(1 << 22).fill(1)); setTimeout(grow, 1); }; grow(); return new Promise(() => {});",
    timeout: 10_000,
    expected: ["worker_died"],
  },
  {
    name: "hold memory in page tables",
    body: `const { dlopen } = require("bun:ffi");
      const mmap = { args: ["u64", "u64", "i32", "i32", "i32", "i64"], returns: "u64" };
      const memchr = { args: ["u64", "i32", "u64"], returns: "u64" };
      const { symbols } = dlopen("libc.so.6", { mmap, memchr });
      const PIECE = 1n << 21n;
      let at = symbols.mmap(0n, PIECE << 17n, 1, 0x4022, -1, 0n);
      const end = BigInt(at) + (PIECE << 17n);
      const look = () => { for (let i = 0; i < 4096 && at < end; i++, at = BigInt(at) + PIECE) symbols.memchr(at, 0, 1n); setTimeout(look, 1); };
      look(); return new Promise(() => {});`,
    timeout: 10_000,
    expected: ["worker_died"],
  },
  {
    name: "start threads without end",
    body: `${startThreads(1000)}
      return new Promise(() => {});`,
    timeout: 10_000,
    expected: ["worker_died"],
  },
  {
    name: "flood the channel",
    body: "const { writeSync } = require('node:fs'); const junk = 'x'.repeat(1 << 20); for (let i = 0; i < 256; ) { try { writeSync(3, junk); i++; } catch (e) { if (e.code !== 'EAGAIN') throw e; } } return new Promise(() => {});",
    timeout: 10_000,
    expected: ["worker_died"],
  },
  { name: "never answer", body: "return new Promise(() => {});", timeout: 100, expected: ["timeout"] },
  {
    name: "answer twice",
    body: "require('node:fs').writeSync(3, JSON.stringify([3, 1, { result: 'first' }]) + '\\n'); return { result: 'second' };",
    timeout: 5_000,
    expected: "answer",
  },
  ...[
    ["answer pings that nobody sent", "[6]"],
    ["withdraw requests that nobody made", "[2, 1]"],
    ["fail for ever", "[9, {}]"],
  ].map(
    ([name = "", message = ""]): Misbehaviour => ({
      name,
      body: `const { writeSync } = require('node:fs'); for (let i = 0; i < 3000; ) { try { writeSync(3, ${JSON.stringify(message)} + '\\n'); i++; } catch (e) { if (e.code !== 'EAGAIN') throw e; } } return new Promise(() => {});`,
      timeout: 10_000,
      expected: ["worker_died"],
    }),
  ),
  {
    name: "reuse the number of an open request",
    body: "const twice = JSON.stringify([10, 4711, 0, { kind: 'storage', action: 'keys' }]) + '\\n'; require('node:fs').writeSync(3, twice + twice); return new Promise(() => {});",
    timeout: 5_000,
    expected: ["worker_died"],
  },
];

/** A plugin with each misbehaviour as a method. */
export const misbehavingPlugin: PluginFixture = {
  id: "misbehaving",
  methods: Object.fromEntries(MISBEHAVIOURS.map(({ name }) => [methodName(name), {}])),
  code: `export default { services: { main: {
${MISBEHAVIOURS.map(({ name, body }) => `async ${methodName(name)}() { ${body} }`).join(",\n")}
} } };`,
};

/** A well-behaved plugin. */
export const honestPlugin: PluginFixture = {
  id: "honest",
  methods: { echo: {} },
  code: "export default { services: { main: { async echo(input) { return input; } } } };",
};

/** The method name of a misbehaviour. */
export function methodName(name: string): string {
  return name.replaceAll(" ", "_");
}
