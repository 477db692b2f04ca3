import { Type } from "@sinclair/typebox";
import { Hono } from "hono";
import { readQuery } from "../../../src/core/validate.js";
import type { ReportStore } from "./store.js";

const Period = Type.Object(
  { days: Type.Optional(Type.Integer({ minimum: 1, maximum: 366 })) },
  { additionalProperties: false },
);

/** The HTTP API of the reports. */
export function createRoutes(store: ReportStore): Hono {
  const routes = new Hono();

  routes.get("/", (c) => c.json(store.totals()));

  routes.get("/days", (c) => {
    const { days: wanted = 14 } = readQuery(c, Period);
    const days = store.days(wanted, new Date());
    return c.json({ days, count: days.length });
  });

  routes.get("/assignees", (c) => {
    const assignees = store.assignees();
    return c.json({ assignees, count: assignees.length });
  });

  return routes;
}
