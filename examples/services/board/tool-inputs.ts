/** What the tools' parameters are made of. */
import { type TSchema, Type } from "@sinclair/typebox";

export const oneOf = (values: readonly string[], description: string) =>
  Type.Union(
    values.map((value) => Type.Literal(value)),
    { description },
  );
export const text = (description: string) => Type.String({ description });
/** In a union of String and Null, pi makes an empty text of null, or null of an empty text, whichever comes first. */
export const nullableText = (description: string) =>
  Type.Unsafe<string | null>(Type.Unknown({ type: ["string", "null"], description }));
export const texts = (description: string) => Type.Array(Type.String(), { description });
export const optional = <T extends TSchema>(schema: T) => Type.Optional(schema);
