/** The replies that every service has in common. */
import { ERRORS, type ErrorCode } from "../../../src/core/errors.js";

export const ERROR_SCHEMA = {
  type: "object",
  description: "Error body of the server and, by convention, of services.",
  required: ["error"],
  properties: { error: { type: "string", description: "Human-readable error message." } },
};

const SHARED = ["BAD_REQUEST", "UNAUTHORIZED", "NOT_FOUND", "BODY_TOO_LARGE", "INTERNAL"] as const;

const nameOf = (code: ErrorCode) =>
  code.toLowerCase().replace(/(?:^|_)(\w)/g, (_all, letter: string) => letter.toUpperCase());

/** `components.responses`: one for each error that any route may answer with. */
export const ERROR_RESPONSES = Object.fromEntries(
  SHARED.map((code) => {
    const { message, help } = ERRORS[code];
    const content = {
      "application/json": {
        schema: { $ref: "#/components/schemas/Error" },
        example: { error: message },
      },
    };
    return [nameOf(code), { description: help, content }];
  }),
);

/** A reference to the shared reply with this error. */
export const errorResponse = (code: (typeof SHARED)[number]) => ({
  $ref: `#/components/responses/${nameOf(code)}`,
});
