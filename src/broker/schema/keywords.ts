/** The supported keywords, formats and dialects of JSON Schema. */

/** The type of a keyword's value. */
export type KeywordShape =
  | "schema"
  | "schemas"
  | "schema-map"
  | "schema-or-schemas"
  | "dependencies"
  | "text"
  | "number"
  | "count"
  | "boolean"
  | "texts"
  | "list"
  | "text-lists"
  | "type"
  | "pattern"
  | "format"
  | "ref"
  | "any";

/** Supported keywords of draft-07 and 2020-12. All others are rejected. */
export const KEYWORDS: Readonly<Record<string, KeywordShape>> = {
  $schema: "text",
  $id: "text",
  $anchor: "text",
  $comment: "text",
  $defs: "schema-map",
  definitions: "schema-map",
  $ref: "ref",
  title: "text",
  description: "text",
  default: "any",
  examples: "list",
  deprecated: "boolean",
  readOnly: "boolean",
  writeOnly: "boolean",
  type: "type",
  enum: "list",
  const: "any",
  multipleOf: "number",
  maximum: "number",
  exclusiveMaximum: "number",
  minimum: "number",
  exclusiveMinimum: "number",
  maxLength: "count",
  minLength: "count",
  pattern: "pattern",
  format: "format",
  items: "schema-or-schemas",
  prefixItems: "schemas",
  additionalItems: "schema",
  maxItems: "count",
  minItems: "count",
  uniqueItems: "boolean",
  contains: "schema",
  maxContains: "count",
  minContains: "count",
  properties: "schema-map",
  patternProperties: "schema-map",
  additionalProperties: "schema",
  propertyNames: "schema",
  maxProperties: "count",
  minProperties: "count",
  required: "texts",
  dependencies: "dependencies",
  dependentRequired: "text-lists",
  dependentSchemas: "schema-map",
  allOf: "schemas",
  anyOf: "schemas",
  oneOf: "schemas",
  not: "schema",
  if: "schema",
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: "schema",
  else: "schema",
};

/** Supported formats. */
export const FORMATS: readonly string[] = [
  "date",
  "date-time",
  "time",
  "duration",
  "email",
  "idn-email",
  "hostname",
  "idn-hostname",
  "ipv4",
  "ipv6",
  "uri",
  "uri-reference",
  "iri",
  "iri-reference",
  "uri-template",
  "url",
  "uuid",
  "json-pointer",
  "relative-json-pointer",
  "regex",
];

/** Accepted values of `$schema`. */
export const DIALECTS: readonly RegExp[] = [
  /^https?:\/\/json-schema\.org\/draft-07\/schema#?$/,
  /^https:\/\/json-schema\.org\/draft\/2020-12\/schema#?$/,
];

/** Valid values of `type`. */
export const TYPES: readonly string[] = ["array", "boolean", "integer", "null", "number", "object", "string"];
