/** Normalises tool results into the shape that agents and models accept; services may return anything. */
import { isErrorResult } from "../client.js";
import { messageOf } from "../errors.js";
import type { ToolResult } from "../types.js";

type Part = ToolResult["content"][number];

/** The normalised result of a tool. Throws with the result's text if it is an error. */
export function assertSuccess(returned: unknown): ToolResult {
  const result = resultOf(returned);
  if (isErrorResult(returned) || result.isError === true) throw new Error(errorText(result.content));
  return result;
}

/** Normalises whatever a tool returned into a result that can be displayed, sent and stored. */
export function resultOf(returned: unknown): ToolResult {
  const given = (typeof returned === "object" && returned !== null ? returned : {}) as Partial<ToolResult>;
  const parts: unknown[] = Array.isArray(given.content) ? given.content : [textPart(returned)];
  // pi describes empty content to the model as an image.
  const content = parts.length > 0 ? parts.map(partOf) : [textPart(undefined)];
  return { ...given, content: bounded(content), details: detailsOf(given.details) };
}

/**
 * The maximum text of a result, in characters: its beginning and its end. Larger results would exceed a
 * session's context.
 */
const START = 150_000;
const END = 50_000;

function bounded(content: Part[]): Part[] {
  const length = content.reduce((sum, part) => sum + read(part).length, 0);
  if (length <= START + END) return content;
  const leftOut = length - START - END;
  const note = `\n… ${leftOut} characters omitted: request less at a time …\n`;
  let at = 0;
  return content.map((part) => {
    const text = read(part);
    const from = at;
    at += text.length;
    const start = text.slice(0, Math.max(0, START - from));
    const end = text.slice(Math.max(0, START + leftOut - from));
    if (start.length + end.length >= text.length) return part;
    // The note is inserted once, at the end of the beginning.
    return { ...part, text: `${start}${from <= START && at > START ? note : ""}${end}`.toWellFormed() };
  });
}

/** The text of a part; nothing for images. */
const read = ({ type, text = "" }: Part): string => (type === "text" ? text : "");

function partOf(part: unknown): Part {
  const { type, text, data, mimeType } = Object(part) as Record<string, unknown>;
  if (type === "text") return typeof text === "string" ? (part as Part) : textPart(text);
  const isImage = type === "image" && typeof data === "string" && typeof mimeType === "string";
  if (!isImage) return textPart(part);
  const fault = imageFault(data, mimeType);
  return fault === undefined ? (part as Part) : textPart(`[Image cannot be shown: ${fault}]`);
}

/**
 * Image types that model providers accept. They reject all further requests of a session that contains any
 * other image.
 */
const IMAGES = ["image/jpeg", "image/png", "image/gif", "image/webp"];

function imageFault(data: string, mimeType: string): string | undefined {
  if (!IMAGES.includes(mimeType)) return `${mimeType} is not one of ${IMAGES.join(", ")}`;
  const isBase64 = data.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(data);
  return isBase64 ? undefined : "its data is not base64";
}

const textPart = (value: unknown): Part => ({ type: "text", text: textOf(value) });

function textOf(value: unknown): string {
  if (typeof value === "string") return value;
  if (value === undefined) return "done";
  return (value instanceof Error ? undefined : jsonOf(value)) ?? messageOf(value);
}

/** The JSON of a value; undefined when it has none, because it is circular or contains a BigInt. */
function jsonOf(value: unknown): string | undefined {
  try {
    return JSON.stringify(value);
  } catch {
    return undefined;
  }
}

/** Details must be JSON, since the agent stores them as such. */
function detailsOf(details: unknown): ToolResult["details"] {
  const isKept = typeof details === "object" && details !== null && jsonOf(details) !== undefined;
  return isKept ? (details as ToolResult["details"]) : {};
}

function errorText(content: ToolResult["content"]): string {
  const text = content.map((part) => part.text ?? "").join("\n");
  return text.replace(/^Error: /, "") || "the tool failed";
}
