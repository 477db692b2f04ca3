/** The link between the runtime API and the worker. */
import type { CurrentCall } from "../client.js";
import type { WireRequest } from "../protocol.js";

/** Connects the runtime API to the broker. */
export interface RuntimeBridge {
  request(request: WireRequest, signal?: AbortSignal): Promise<unknown>;
  currentCall(): CurrentCall | undefined;
}

let bridge: RuntimeBridge | undefined;

/** Connects the runtime API; called once by the worker. */
export function connectRuntime(connected: RuntimeBridge): void {
  bridge = connected;
}

/** The connection to the broker. Throws outside of a worker. */
export function runtimeBridge(): RuntimeBridge {
  if (!bridge) throw new Error("this works only in the worker of a service plugin");
  return bridge;
}
