import { expect, test } from "bun:test";
import { Type } from "@sinclair/typebox";
import { plainSchema } from "../schemas/plain.js";
import { Components } from "./embed.js";

const embed = (schema: object, components = new Components()) => ({
  result: components.embed(plainSchema(schema) as object, "Thing"),
  schemas: components.schemas,
});

test("a schema without references stands where it is used", () => {
  const { result, schemas } = embed(Type.Object({ a: Type.Optional(Type.String()) }));
  expect(result).toEqual({ type: "object", properties: { a: { type: "string" } } });
  expect(schemas).toEqual({});
});

test("recursive TypeBox schemas become a component that refers to itself", () => {
  const Node = Type.Recursive((This) => Type.Object({ children: Type.Array(This) }), { $id: "Node" });
  const { result, schemas } = embed(Node);
  expect(result).toEqual({ $ref: "#/components/schemas/Node" });
  expect(schemas.Node).toMatchObject({
    properties: { children: { items: { $ref: "#/components/schemas/Node" } } },
  });
});

test("one named schema of several routes is there once; different ones of one name are kept apart", () => {
  const components = new Components();
  const named = (type: object) => ({ type: "object", properties: { item: { $id: "Item", ...type } } });
  const refs = [{ type: "string" }, { type: "string" }, { type: "number" }].map((type) =>
    JSON.stringify(components.embed(named(type), "x")),
  );
  expect(refs[0]).toBe(refs[1] as string);
  expect(refs[2]).not.toBe(refs[0] as string);
  expect(components.schemas).toEqual({ Item: { type: "string" }, Item_2: { type: "number" } });
});

test("pointers into the schema itself still hold", () => {
  const { result, schemas } = embed({
    $schema: "http://json-schema.org/draft-07/schema#",
    definitions: { n: { type: "number" } },
    properties: { a: { $ref: "#/definitions/n" }, b: { $ref: "#" } },
  });
  expect(result).toEqual({ $ref: "#/components/schemas/Thing" });
  expect(schemas.Thing).toEqual({
    definitions: { n: { type: "number" } },
    properties: {
      a: { $ref: "#/components/schemas/Thing/definitions/n" },
      b: { $ref: "#/components/schemas/Thing" },
    },
  });
});

test("nothing refers to anything outside the document", () => {
  const { result } = embed({ properties: { a: { $ref: "https://elsewhere.example/schema.json" } } });
  expect(JSON.stringify(result)).not.toContain("elsewhere");
});

test("tuples of draft-07 become prefixItems", () => {
  const { result } = embed(Type.Tuple([Type.String(), Type.Number()]));
  expect(result).toMatchObject({ prefixItems: [{ type: "string" }, { type: "number" }], items: false });
});

test("properties may be called like keywords", () => {
  const schema = { properties: { $ref: { type: "string" }, items: { type: "array" }, $id: { const: 1 } } };
  expect(embed(schema).result).toEqual(schema);
});
