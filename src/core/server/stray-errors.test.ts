import { expect, test } from "bun:test";
import { folderBlamed } from "./stray-errors.js";

const from = (file: string) =>
  Object.assign(new Error("x"), {
    stack: `Error: x\n    at ${file}:1:2\n    at /reef/src/core/scope.ts:3:4`,
  });

test.each<[string, unknown, string | undefined]>([
  ["of a service's file", from("/srv/services/board/index.ts"), "board"],
  ["of a file further down", from("fn (/srv/services/board/lib/deep/a.ts"), "board"],
  ["of the server", from("/reef/src/core/boot.ts"), undefined],
  [
    "of a folder whose name begins like the services folder",
    from("/srv/services-old/board/index.ts"),
    undefined,
  ],
  ["of a file beside the services", from("/srv/services/loose.ts"), undefined],
  ["without a stack", Object.assign(new Error("x"), { stack: undefined }), undefined],
  ["that is no error", "/srv/services/board/index.ts", undefined],
  ["that is nothing", null, undefined],
  [
    "whose stack throws",
    Object.defineProperty(new Error("x"), "stack", {
      get() {
        throw 1;
      },
    }),
    undefined,
  ],
])("an error %s is blamed on the right folder, or on none", (_what, error, folder) => {
  expect(folderBlamed(error, "/srv/services")).toBe(folder as string);
  expect(folderBlamed(error, "/srv/services/")).toBe(folder as string);
});
