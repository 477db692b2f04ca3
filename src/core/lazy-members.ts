/** Objects of which each service has its own, though most services use little of them. */

const STATE = Symbol("what the members are made from");

/**
 * Returns a function that makes objects with the members of `parent` and these. Each of these is made when it is first
 * asked for, from what the object was made with, and stays; so does what is put in its place.
 */
export function lazyMembers<S>(
  parent: object | null,
  makers: Readonly<Record<string, (state: S) => unknown>>,
): (state: S) => object {
  const shared = Object.create(parent) as object;
  for (const [name, make] of Object.entries(makers)) {
    const put = (holder: object, value: unknown) => {
      Reflect.defineProperty(holder, name, { value, writable: true, enumerable: true, configurable: true });
      return value;
    };
    Object.defineProperty(shared, name, {
      get(this: { [STATE]?: S }) {
        const state = this[STATE];
        return state === undefined ? undefined : put(this, make(state));
      },
      set(this: object, value: unknown) {
        put(this, value);
      },
      enumerable: true,
      configurable: true,
    });
  }
  return (state) => Object.create(shared, { [STATE]: { value: state } });
}
