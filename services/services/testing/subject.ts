/** A service for the tests of deploys. */

/** Tests that pass. */
export const PASSING = `import { expect, test } from "bun:test"; test("adds", () => expect(1 + 1).toBe(2));`;

/** The source of a service that answers with `label`; `before` comes first in the module. */
export const good = (label: string, fields = "", before = "") => `import { Hono } from "hono";
${before}
const routes = new Hono();
routes.get("/", (c) => c.text(${JSON.stringify(label)}));
export default { name: "subject", routes, ${fields} };
`;
