/** Values that services throw. They may be anything: a `Proxy` even throws when it is asked what it is. */

/** `instanceof` that never throws. */
export function isA<T>(thrown: unknown, Class: abstract new (...args: never[]) => T): thrown is T {
  try {
    return thrown instanceof Class;
  } catch {
    return false;
  }
}
