/** A service whose panel is the given text. */
export const withPanel = (
  name: string,
  panel: string,
  more = "",
  fields = "",
) => `import { Hono } from "hono";
const routes = new Hono();
${more}
routes.get("/_panel", (c) => c.html(${JSON.stringify(panel)}));
export default { name: ${JSON.stringify(name)}, routes, ${fields} };
`;
