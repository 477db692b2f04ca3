import type { Checker, ModuleFacts } from "../../src/core/checker.js";

/** Answers checks as told; a folder without an answer waits for `answer`. */
export class SlowChecker implements Checker {
  /** The folders that were to be imported, and those that were to be started with what they need. */
  readonly asked: string[] = [];
  readonly started: string[][] = [];
  readonly known = new Set<string>();
  readonly #waiting = new Map<string, PromiseWithResolvers<ModuleFacts>>();
  constructor(readonly slow: string[]) {
    for (const name of slow) this.hold(name);
  }
  knows = (digest: string) => this.known.has(digest);
  remember = (digest: string) => void this.known.add(digest);
  import(dirName: string): Promise<ModuleFacts> {
    this.asked.push(dirName);
    const facts = { name: dirName, dependencies: [], hasInit: false };
    return this.#waiting.get(dirName)?.promise ?? Promise.resolve(facts);
  }
  start = async (dirNames: string[]) => void this.started.push(dirNames);
  close = async () => undefined;
  /** Has the folder's next check wait for an answer again. */
  hold(dirName: string): void {
    const answer = Promise.withResolvers<ModuleFacts>();
    // It may be given before anybody asks.
    answer.promise.catch(() => undefined);
    this.#waiting.set(dirName, answer);
  }
  /** `facts` are what the folder is found to be: called like the folder, in need of nobody, without `init`, if not said. */
  pass = (dirName: string, facts: Partial<ModuleFacts> = {}) =>
    this.#waiting.get(dirName)?.resolve({ name: dirName, dependencies: [], hasInit: false, ...facts });
  fail = (dirName: string, error = new Error("gave up")) => this.#waiting.get(dirName)?.reject(error);
}
