import { expect, test } from "bun:test";
import { createFakePi } from "../../../tests/support/fake-pi.js";
import { createExtension } from "../extension.js";
import type { ServiceModule } from "../types.js";

type Fields = Record<string, unknown>;

/** The tool with these fields, as pi gets it. */
function registered(fields: Fields) {
  const said: string[] = [];
  const module: ServiceModule = {
    name: "odd",
    registerTools: (pi) =>
      pi.registerTool({
        name: "odd_tool",
        label: "Odd",
        description: "Odd",
        execute: async () => "",
        ...fields,
      } as never),
  };
  const fake = createFakePi();
  createExtension([module], { env: {}, warn: (line) => said.push(line) })(fake.pi);
  return { tool: fake.tools.get("odd_tool") as unknown as Fields, said };
}

test.each<[string, unknown, unknown, boolean]>([
  ["promptSnippet", "a snippet", "a snippet", false],
  ["promptSnippet", 7, undefined, true],
  ["promptGuidelines", ["one", "two"], ["one", "two"], false],
  ["promptGuidelines", "one", ["one"], false],
  ["promptGuidelines", ["one", 7, null], ["one"], true],
  ["promptGuidelines", 5, undefined, true],
  ["prepareArguments", 5, undefined, true],
  ["renderCall", "text", undefined, true],
  ["renderResult", {}, undefined, true],
  ["anotherField", 5, 5, false],
])("%s %j is handed over as %j", (field, value, expected, isProblem) => {
  const { tool, said } = registered({ [field]: value });
  expect(tool[field]).toEqual(expected);
  expect(said.map((line) => line.includes(`odd: tool "odd_tool": ${field}`))).toEqual(
    isProblem ? [true] : [],
  );
});

test("a renderer that returns no component throws, and pi shows its own", () => {
  for (const result of [undefined, null, "text", {}]) {
    const { tool, said } = registered({ renderCall: () => result });
    expect(tool.renderCall as () => unknown).toThrow("did not return a component");
    expect(said).toEqual(['[reef] odd: tool "odd_tool": renderCall did not return a component']);
  }
});

test("a component that cannot be drawn is drawn empty", () => {
  const draw = (render: () => unknown) => {
    const { tool, said } = registered({ renderResult: () => ({ render }) });
    const component = (tool.renderResult as () => { render(width: number): string[] })();
    return [component.render(80), said.length];
  };
  expect(draw(() => ["a line"])).toEqual([["a line"], 0]);
  expect(draw(() => "a line")).toEqual([[], 1]);
  expect(draw(() => [7])).toEqual([[], 1]);
  const fails = () => {
    throw new Error("no ink");
  };
  expect(draw(fails)).toEqual([[], 1]);
});

test("a component may be used again, and stays what it is", () => {
  class Line {
    #drawn = 0;
    render() {
      return [`drawn ${++this.#drawn}`];
    }
  }
  const line = new Line();
  const { tool } = registered({ renderCall: () => line });
  const render = tool.renderCall as () => Line;
  expect([render(), render()]).toEqual([line, line]);
  expect([line.render(), line.render()]).toEqual([["drawn 1"], ["drawn 2"]]);
});
