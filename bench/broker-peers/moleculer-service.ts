import type { Context, ServiceSchema } from "moleculer";

/** The same method for Moleculer. */
export const mathService: ServiceSchema = {
  name: "math",
  actions: {
    add: {
      params: { a: "number", b: "number" },
      handler: async ({ params }: Context<{ a: number; b: number }>) => ({ result: params.a + params.b }),
    },
  },
};
