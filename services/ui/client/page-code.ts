/** The code of the pages. Each is loaded when somebody first goes there, or before, when there is nothing else to do. */
import { signal } from "@preact/signals";
import type { VNode } from "preact";
import { PAGE_NAMES, type PageName } from "../page-names.js";
import { strings as t } from "../strings.js";
import { messageOf } from "./api.js";

/** Makes a page of the parts of its address. */
export type MakePage = (parts: readonly string[]) => VNode;

/** Why the code of a page could not be loaded. */
export class CodeError extends Error {
  constructor(
    /** The server does not answer, or it has another version of the dashboard by now. */
    readonly why: "away" | "changed" | "other",
    message: string,
  ) {
    super(message);
  }
}

/** For so long a page's code may take. */
const PATIENCE_MS = 20_000;

const made = signal<ReadonlyMap<PageName, MakePage>>(new Map());
const loading = new Map<PageName, Promise<void>>();
/** Counts the tries that failed. */
let failed = 0;
/** The file of each page. */
let files: Partial<Record<PageName, string>> = {};

/** What the server wrote into the document: where each page's file is. */
export function knowFiles(written: string | undefined): void {
  files = JSON.parse(written ?? "{}");
}

/** Called by a page's code when it comes. What comes late, after it was asked for again, changes nothing. */
export function definePage(page: PageName, make: MakePage): void {
  if (hasCode(page)) return;
  made.value = new Map(made.peek()).set(page, make);
}

/** What makes the page, once its code is there. */
export const codeOf = (page: PageName): MakePage | undefined => made.value.get(page);
export const hasCode = (page: PageName): boolean => made.peek().has(page);

/** Loads the code of a page. Rejects with a {@link CodeError}. */
export function loadPage(page: PageName): Promise<void> {
  const known = loading.get(page) ?? load(page).finally(() => loading.delete(page));
  loading.set(page, known);
  return known;
}

async function load(page: PageName, isAgain = false): Promise<void> {
  if (hasCode(page)) return;
  const file = files[page] ?? "";
  try {
    // A browser never asks again for a module that it could not have, under the same address.
    await withinTime(import(failed === 0 ? file : `${file}?${failed}`));
  } catch (error) {
    failed++;
    const reason = await reasonOf(file);
    if (reason) throw reason;
    // It is there, now.
    if (isAgain) throw new CodeError("other", messageOf(error));
    await load(page, true);
  }
}

function withinTime(work: Promise<unknown>): Promise<unknown> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no response within ${PATIENCE_MS} ms`)), PATIENCE_MS);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

/** What browsers do not say: why a file could not be imported, or undefined when nothing seems wrong. */
async function reasonOf(file: string): Promise<CodeError | undefined> {
  const ask = async (address: string) => {
    const reply = await fetch(address, { signal: AbortSignal.timeout(PATIENCE_MS), cache: "no-store" });
    await reply.arrayBuffer();
    return reply;
  };
  try {
    const { ok, status, statusText } = await ask(file);
    if (ok) return undefined;
    // A server that is only starting has no dashboard yet.
    const hasDashboard = status === 404 && (await ask("/ui/session")).ok;
    return new CodeError(hasDashboard ? "changed" : "other", t.going.says(`${status} ${statusText}`.trim()));
  } catch (error) {
    return new CodeError("away", messageOf(error));
  }
}

/** Resolves when the browser has nothing else to do; not every browser tells. */
const idle = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof requestIdleCallback === "function") requestIdleCallback(() => resolve());
    else setTimeout(resolve, 500);
  });

/** Loads the other pages one by one, unless the user asked to save data. Who goes to one meanwhile loads it then. */
export async function loadOthers(): Promise<void> {
  const { connection } = navigator as { connection?: { saveData?: boolean } };
  if (connection?.saveData) return;
  for (const page of PAGE_NAMES) {
    await idle();
    try {
      await loadPage(page);
    } catch (error) {
      console.debug(`the page "${page}" is not loaded ahead of time:`, messageOf(error));
      return;
    }
  }
}
