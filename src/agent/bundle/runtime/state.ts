/**
 * The state of one bundle, available as the free variable `__reef`, which the surrounding file provides.
 * Bundled code that uses `setTimeout`, `process`, `Bun` … is compiled to `__reef.setTimeout` … instead.
 */
export interface BundleState {
  /** The platform's own globals. */
  real: typeof globalThis & { Bun?: Record<PropertyKey, unknown> };
  /** The bundle's URL. */
  url: string;
  /** Loads a Node module. */
  require(name: string): unknown;
  /** The `import.meta` of services: equal on Node and Bun, and independent of any checkout. */
  meta: Record<string, unknown>;
  /** Wire names of tools that differ from their canonical names. */
  wireNames: Record<string, string>;
  /** True while the services' modules are evaluated: nothing they call has any effect. */
  evaluating: boolean;
  /** Receives errors of callbacks. */
  report: (where: string, error: unknown) => void;
  /** Creates a stand-in for something that only the server has. */
  inert(path: string): unknown;
  /** Creates a CommonJS module whose every export is inert. */
  inertModule(name: string): unknown;
  /** One export of a Node module, inert while modules are evaluated. */
  member(real: Record<string, unknown>, module: string, key: string): unknown;
  [shim: string]: unknown;
}

declare global {
  var __reef: BundleState;
}
