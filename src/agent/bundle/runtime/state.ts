/**
 * The state of one bundle, reachable from everywhere in it as the free variable `__reef`, which the
 * file around it provides. Code that names `setTimeout`, `process`, `Bun` … finds `__reef.setTimeout` … instead.
 */
export interface BundleState {
  /** The platform's own globals. */
  real: typeof globalThis & { Bun?: Record<PropertyKey, unknown> };
  /** The bundle's own address. */
  url: string;
  /** Loads one of Node's modules. */
  require(name: string): unknown;
  /** What `import.meta` is in services: the same on Node and on Bun, and without a place in any checkout. */
  meta: Record<string, unknown>;
  /** Wire names of tools that have another one than their own, by canonical name. */
  wireNames: Record<string, string>;
  /** True while the services' modules are evaluated: nothing they call has any effect. */
  evaluating: boolean;
  /** Receives what the callbacks of timers throw. */
  report: (where: string, error: unknown) => void;
  /** A stand-in for something that only the server has. */
  inert(path: string): unknown;
  /** A module in the shape that `import` of CommonJS expects, whose every export is inert. */
  inertModule(name: string): unknown;
  /** One export of a Node module, without effect while modules are evaluated. */
  member(real: Record<string, unknown>, module: string, key: string): unknown;
  [shim: string]: unknown;
}

declare global {
  var __reef: BundleState;
}
