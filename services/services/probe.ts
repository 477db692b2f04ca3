/** Does a new version really answer? Asks its harmless routes before anybody else can. */
import type { Candidate } from "../../src/core/registry-types.js";
import { listRoutes } from "../../src/core/routes.js";

/** Routes asked at most: requests to the running version wait meanwhile. */
const MOST_ROUTES = 8;

/** After this long a route counts as waiting for something, a long poll for instance. Milliseconds. */
const PATIENCE_MS = 1000;

/** Paths that can be asked without knowing anything about the service: GET, without parameters or wildcards. */
function harmlessPaths({ module }: Candidate): string[] {
  const paths = listRoutes(module.routes)
    .filter(({ method, path }) => method === "GET" && !/[:*{]/.test(path))
    .map(({ path }) => path);
  return paths.slice(0, MOST_ROUTES);
}

async function ask(
  candidate: Candidate,
  path: string,
): Promise<{ path: string; status: number | undefined }> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const patience = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), PATIENCE_MS);
  });
  const reply = await Promise.race([candidate.request(path), patience]);
  clearTimeout(timer);
  await reply?.body?.cancel();
  return { path, status: reply?.status };
}

/**
 * Asks the harmless routes of a version that does not serve yet. Resolves with what was seen; rejects when a route
 * answers with a 5xx.
 */
export async function probe(candidate: Candidate): Promise<string> {
  if (!candidate.module.routes) return "it has no routes to ask";
  const paths = harmlessPaths(candidate);
  if (paths.length === 0) return "none of its routes can be asked without parameters";
  const answers = await Promise.all(paths.map((path) => ask(candidate, path)));
  const broken = answers.filter(({ status }) => status !== undefined && status >= 500);
  if (broken.length > 0) {
    const list = broken.map(({ path, status }) => `GET ${path} answered ${status}`).join(", ");
    throw new Error(`${list}; the log has the reason.`);
  }
  return answers
    .map(({ path, status }) => `GET ${path} ${status === undefined ? "still waits" : `answered ${status}`}`)
    .join(", ");
}
