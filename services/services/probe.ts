/** Does a new version really answer? Asks its harmless routes before anybody else can. */
import type { Candidate } from "../../src/core/registry-types.js";
import { listRoutes } from "../../src/core/routes.js";

/** Routes asked at the same time, and named in the report. */
const AT_ONCE = 8;
const NAMED = 8;

/** How long the looking may go on, in milliseconds; requests to the running version wait for it. */
interface Limits {
  /** After this long a route counts as waiting for something, a long poll for instance. */
  patienceMs: number;
  /** After this long no further route is asked. The registry gives 5 s for all. */
  limitMs: number;
}

const LIMITS: Limits = { patienceMs: 1000, limitMs: 3000 };

/** Paths that can be asked without knowing anything about the service: GET, without parameters or wildcards. */
function harmlessPaths({ module }: Candidate): string[] {
  return listRoutes(module.routes)
    .filter(({ method, path }) => method === "GET" && !/[:*{]/.test(path))
    .map(({ path }) => path);
}

/** What a route answers; undefined when it still waits. */
async function statusOf(candidate: Candidate, path: string, patienceMs: number): Promise<number | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), patienceMs);
  });
  // Also of a reply that comes late: a stream that nobody reads would stay open.
  const answer = candidate.request(path).then(async ({ body, status }) => {
    await body?.cancel();
    return status;
  });
  return Promise.race([answer, patience]).finally(() => clearTimeout(timer));
}

interface Answer {
  path: string;
  status: number | undefined;
}

/** Some at a time, so that routes that wait do not keep the others from being asked. Those asked come first. */
async function askAll(candidate: Candidate, paths: string[], limits: Limits): Promise<Answer[]> {
  const end = performance.now() + limits.limitMs;
  const answers: Answer[] = [];
  let next = 0;
  const askSome = async () => {
    do {
      const at = next++;
      const path = paths[at];
      if (path === undefined) return;
      answers[at] = { path, status: await statusOf(candidate, path, limits.patienceMs) };
    } while (performance.now() < end);
  };
  await Promise.all(Array.from({ length: AT_ONCE }, askSome));
  return answers;
}

/** The first ones in words, and how many there are beyond them. */
function named(answers: Answer[], ofTheRest: string): string {
  const words = answers
    .slice(0, NAMED)
    .map(({ path, status }) => `GET ${path} ${status === undefined ? "is pending" : `returned ${status}`}`);
  const rest = answers.length > NAMED ? ` and ${answers.length - NAMED} more${ofTheRest}` : "";
  return words.join(", ") + rest;
}

/**
 * Asks the harmless routes of a version that does not serve yet. Resolves with what was seen; rejects when a route
 * answers with a 5xx.
 */
export async function probe(candidate: Candidate, limits: Partial<Limits> = {}): Promise<string> {
  if (!candidate.module.routes) return "it has no routes to check";
  const paths = harmlessPaths(candidate);
  if (paths.length === 0) return "it has no GET routes without parameters to check";
  const answers = await askAll(candidate, paths, { ...LIMITS, ...limits });
  const broken = answers.filter(({ status }) => status !== undefined && status >= 500);
  if (broken.length > 0) throw new Error(`${named(broken, "")}; see the log for the reason.`);
  const left = paths.length - answers.length;
  const late = left > 0 ? `; ran out of time before ${left} more` : "";
  return named(answers, ", none with a 5xx") + late;
}
