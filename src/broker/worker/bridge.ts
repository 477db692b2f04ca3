import type { CurrentCall } from "../client.js";
import type { WireRequest } from "../protocol.js";

/** What connects the runtime API to the broker. */
export interface RuntimeBridge {
  request(request: WireRequest, signal?: AbortSignal): Promise<unknown>;
  currentCall(): CurrentCall | undefined;
}

let bridge: RuntimeBridge | undefined;

/** Connects the runtime API; done once, by the worker. */
export function connectRuntime(connected: RuntimeBridge): void {
  bridge = connected;
}

/** The connection to the broker. Throws outside a plugin's worker. */
export function runtimeBridge(): RuntimeBridge {
  if (!bridge) throw new Error("this works only in the worker of a service plugin");
  return bridge;
}
