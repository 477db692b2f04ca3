/** The broker's counters, looked at again and again: what happened between two looks is one point of a trend. */

import type { EnforcementLevel, EnforcementMode } from "../../../../src/broker/index.js";
import { brokerStrings as w } from "../../strings/broker.js";

export interface MethodStats {
  calls: number;
  errors: Record<string, number>;
  latency: { mean: number; p50: number; p95: number; p99: number; max: number };
}

export interface Method {
  name: string;
  description: string;
  inputSchema: unknown;
  outputSchema: unknown;
  stats: MethodStats;
}

export interface Provider {
  id: string;
  kind: "plugin" | "module";
  name: string;
  version: string;
  description: string;
  permissions: unknown;
  services: Array<{ name: string; description: string; methods: Method[] }>;
}

export interface BrokerState {
  plugins: Provider[];
  enforcement: EnforcementLevel & { mode: EnforcementMode };
  workers: Array<{
    service: string;
    state: string;
    inFlight: number;
    queued: number;
    quarantine: { reason?: string } | null;
  }>;
  failures: Array<{ dir: string; error: string }>;
}

/** Whether plugins are held to their permissions, in words. */
export function describeEnforcement({ level, mode }: BrokerState["enforcement"]): string {
  if (mode === "off") return w.levels.off;
  return w.levels[level === "none" && mode === "required" ? "required" : level];
}

/** Seconds since the epoch, and the mean latency of the calls since the look before, in milliseconds. */
export type Point = [at: number, mean: number];

const KEPT = 60;
const seen = new Map<string, { calls: number; total: number; points: Point[] }>();

/** Adds what was counted since the last time. */
export function remember(plugins: readonly Provider[], now = Date.now()): void {
  for (const { id, services } of plugins) {
    for (const service of services) {
      for (const { name, stats } of service.methods) note(`${id}/${service.name}/${name}`, stats, now);
    }
  }
}

function note(key: string, { calls, latency }: MethodStats, now: number): void {
  const total = latency.mean * calls;
  const before = seen.get(key);
  // Counters begin anew with the broker.
  const known =
    before && before.calls <= calls ? before : { calls: 0, total: 0, points: before?.points ?? [] };
  if (calls === known.calls && before) return;
  const points = [...known.points];
  if (calls > known.calls) points.push([now / 1000, (total - known.total) / (calls - known.calls)]);
  seen.set(key, { calls, total, points: points.slice(-KEPT) });
}

/** The trend of `plugin/service/method`, oldest first. */
export const trendOf = (key: string): Point[] => seen.get(key)?.points ?? [];
