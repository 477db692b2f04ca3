/** Serialises errors for the channel. */
import { BROKER_ERRORS, BrokerError, type BrokerErrorCode } from "../errors.js";
import type { WireError } from "../protocol.js";

const MAX_TEXT = 4_000;

function isCode(value: unknown): value is BrokerErrorCode {
  return typeof value === "string" && Object.hasOwn(BROKER_ERRORS, value);
}

function textOf(value: unknown, fallback: string): string {
  return typeof value === "string" ? value.slice(0, MAX_TEXT) : fallback;
}

/** Converts anything thrown into a serialisable error. Never throws. */
export function toWire(thrown: unknown): WireError {
  try {
    if (thrown instanceof BrokerError) {
      const { name, message, code, details } = thrown;
      return { name, message: textOf(message, ""), code, details };
    }
    if (typeof thrown !== "object" || thrown === null)
      return { name: "Error", message: textOf(String(thrown), "") };
    const { name, message, code, path } = thrown as Record<string, unknown>;
    return {
      name: textOf(name, "Error"),
      message: textOf(message, "an object was thrown"),
      ...(typeof code === "string" ? { errno: code.slice(0, 64) } : {}),
      ...(typeof path === "string" ? { path: path.slice(0, MAX_TEXT) } : {}),
    };
  } catch {
    return { name: "Error", message: "what was thrown cannot be read" };
  }
}

/** Parses an error received from the peer, trusting nothing in it. */
export function readWire(value: unknown): WireError {
  const { name, message, code, failedCheck, details, errno, path } = (
    typeof value === "object" && value !== null ? value : {}
  ) as Record<string, unknown>;
  return {
    name: textOf(name, "Error"),
    message: textOf(message, "failed without a reason"),
    ...(isCode(code) ? { code } : {}),
    ...(failedCheck === "invalid_input" || failedCheck === "invalid_output" ? { failedCheck } : {}),
    ...(typeof details === "object" && details !== null ? { details } : {}),
    ...(typeof errno === "string" ? { errno: errno.slice(0, 64) } : {}),
    ...(typeof path === "string" ? { path: path.slice(0, MAX_TEXT) } : {}),
  };
}

/** Converts an error received by a worker back into an exception. */
export function brokerErrorFrom(value: unknown): Error {
  const wire = readWire(value);
  if (wire.code) return new BrokerError(wire.code, wire.message, wire.details);
  return new Error(wire.message);
}
