/** What requests to the services manager carry. Loaded with the first: the server starts without TypeBox. */
import { Type } from "@sinclair/typebox";
import type { Context } from "hono";
import { readBody, readQuery } from "../../src/core/validate.js";

/** A misspelt field must not roll back to another version than was meant. */
const closed = { additionalProperties: false };

/** No folder has a name of more than 64 characters; what is not refused here is told in the report, and kept. */
const Deploy = Type.Object({
  name: Type.String({ maxLength: 500 }),
  background: Type.Optional(Type.Boolean()),
});
const Wait = Type.Object({ wait: Type.Optional(Type.Integer({ minimum: 0, maximum: 60 })) });
const Rollback = Type.Object({ digest: Type.Optional(Type.String({ pattern: "^[0-9a-f]{6,64}$" })) }, closed);
const Disable = Type.Object({ reason: Type.Optional(Type.String({ maxLength: 500 })) }, closed);
const Force = Type.Object({ force: Type.Optional(Type.Boolean()) });

export const readDeploy = (c: Context) => readBody(c, Deploy);
export const readRollback = (c: Context) => readBody(c, Rollback);
export const readDisable = (c: Context) => readBody(c, Disable);
/** In milliseconds. */
export const readWait = (c: Context) => (readQuery(c, Wait).wait ?? 0) * 1000;
export const readForce = (c: Context) => readQuery(c, Force).force === true;
