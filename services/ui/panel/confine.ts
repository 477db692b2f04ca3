/**
 * What a content security policy does not cover: peer connections, which reach any address. Their constructors go,
 * and so do the ways to a document that would bring them back. Must run before any other script.
 */
import { withoutFrames } from "./frames.js";

interface Policies {
  createPolicy(
    name: string,
    rules: {
      createHTML(text: string, type: string, sink: string): string | null;
      createScript(text: string, type: string, sink: string): string | null;
      createScriptURL(): null;
    },
  ): unknown;
}

const DENIED = ["RTCPeerConnection", "webkitRTCPeerConnection", "mozRTCPeerConnection", "XSLTProcessor"];

export function confine(): void {
  for (const name of DENIED) {
    Object.defineProperty(window, name, { value: undefined, writable: false, configurable: false });
  }
  const { trustedTypes } = window as { trustedTypes?: Policies };
  // The only policy there may be. Where browsers know none, frames in panels stay possible.
  trustedTypes?.createPolicy("default", {
    // Text that is written in pieces cannot be looked at.
    createHTML: (text, _type, sink) => (/srcdoc|^Document write/.test(sink) ? null : withoutFrames(text)),
    // Handlers and inline scripts run in this document; an address would make another one.
    createScript: (text, _type, sink) => (/location|href|src/i.test(sink) ? null : text),
    createScriptURL: () => null,
  });
}
