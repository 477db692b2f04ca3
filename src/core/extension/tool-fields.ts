/** Sanitises the optional fields of tools: pi uses them unchecked and would crash on wrong types. */
import type { ToolDefinition } from "@mariozechner/pi-coding-agent";
import { messageOf } from "../errors.js";
import { textsOf } from "../tools/texts.js";
import type { Owner } from "./owner.js";

/** Reports a problem with a tool. */
type Problem = (text: string) => void;
type Render = (...args: unknown[]) => unknown;
type Fields = Record<string, unknown>;

/**
 * Returns a tool with usable optional fields. Invalid ones are reported and removed, or converted where the
 * intent is clear.
 */
export function usable(tool: ToolDefinition, owner: Owner, report: (error: Error) => void): ToolDefinition {
  const { name, label, description } = tool;
  const fields: Fields = { ...tool, ...textsOf(name, label, description) };
  const problem = (text: string) => report(new Error(`tool "${name}": ${text}`));
  const leaveOut = (field: string, expected: string) => {
    if (fields[field] !== undefined) problem(`${field} is not a ${expected} and was ignored`);
    delete fields[field];
  };
  if (typeof fields.promptSnippet !== "string") leaveOut("promptSnippet", "string");
  if (typeof fields.promptGuidelines === "string") fields.promptGuidelines = [fields.promptGuidelines];
  if (!Array.isArray(fields.promptGuidelines)) leaveOut("promptGuidelines", "list of strings");
  else fields.promptGuidelines = texts(fields.promptGuidelines, problem);
  if (typeof fields.prepareArguments !== "function") leaveOut("prepareArguments", "function");
  for (const field of ["renderCall", "renderResult"]) {
    const render = fields[field];
    if (typeof render !== "function") leaveOut(field, "function");
    else fields[field] = renderer(field, (...args) => Reflect.apply(render, tool, args), owner, problem);
  }
  return fields as unknown as ToolDefinition;
}

function texts(list: unknown[], problem: Problem): string[] {
  const kept = list.filter((entry) => typeof entry === "string");
  if (kept.length < list.length) problem("promptGuidelines that are not strings were ignored");
  return kept;
}

/** Wraps a renderer. It throws when the service returned no component, and pi then uses its default. */
function renderer(field: string, render: Render, owner: Owner, problem: Problem): Render {
  return (...args) => {
    const component = owner.run(() => render(...args));
    const draw: unknown = Object(component).render;
    if (typeof draw !== "function") {
      problem(`${field} did not return a component`);
      throw new Error(`${field} did not return a component`);
    }
    contain(component as Fields, draw as Render, owner, (text) => problem(`${field}: ${text}`));
    return component;
  };
}

/** Components that are wrapped already: a renderer may return the same one again. */
const contained = new WeakSet<object>();

/** Makes a component render nothing when its `render` fails. The object stays the same for its service. */
function contain(component: Fields, draw: Render, owner: Owner, problem: Problem): void {
  if (contained.has(component)) return;
  contained.add(component);
  component.render = (...args: unknown[]) => {
    try {
      const lines = owner.run(() => Reflect.apply(draw, component, args));
      if (Array.isArray(lines) && lines.every((line) => typeof line === "string")) return lines;
      problem("the returned component does not render lines of text");
    } catch (error) {
      problem(messageOf(error));
    }
    return [];
  };
}
