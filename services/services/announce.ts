/** Makes what happens to services visible: as messages between services, and as nodes of the event tree. */
import { messageOf } from "../../src/core/errors.js";
import type { ServiceContext } from "../../src/core/types.js";
import type { StepName, StepStatus } from "./report.js";

/** The message between services about each step of a deploy: {@link StepMessage}. */
export const DEPLOY_EVENT = "services:deploy";

export interface StepMessage {
  name: string;
  /** `deploy` stands for the deploy as a whole. */
  step: StepName | "deploy";
  status: StepStatus | "running";
  detail?: string;
  durationMs?: number;
}

/** What `services:changed` says. */
interface Change {
  name: string;
  action: string;
  step?: string;
  code?: string;
  error?: string;
}

const SENTENCES: Record<string, (name: string) => string> = {
  added: (name) => `${name} was loaded`,
  updated: (name) => `${name} was reloaded`,
  removed: (name) => `${name} was unloaded`,
  disabled: (name) => `${name} was disabled`,
  "rolled-back": (name) => `${name} was rolled back`,
};

export class Announcer {
  readonly #ctx: ServiceContext;
  /** The tree nodes of deploys under way, by folder: changes they make belong below them. */
  readonly #deploys = new Map<string, Promise<string | undefined>>();

  constructor(ctx: ServiceContext) {
    this.#ctx = ctx;
  }

  /** A service has been changed, by whomever. */
  async changed({ name, action, ...failure }: Change): Promise<void> {
    // Of a folder that holds no service yet, a change says the folder's name.
    const parentId = await this.#deploys.get(this.#ctx.registry.get(name)?.dirName ?? name);
    const content = SENTENCES[action]?.(name) ?? `${name} could not be changed: ${failure.error ?? action}`;
    const type = `service_${action.replaceAll("-", "_")}`;
    await this.#publish({ type, content, service: name, ...failure, ...(parentId && { parentId }) });
  }

  /** Begins a deploy's branch of the tree; the result reports its steps and ends it. */
  deploy(name: string, dirName: string): { step(message: Omit<StepMessage, "name">): void } {
    const root = this.#publish({ type: "deploy", content: `Deploying ${name}`, service: name });
    this.#deploys.set(dirName, root);
    return {
      step: (message) => {
        this.#ctx.events.fire(DEPLOY_EVENT, { name, ...message } satisfies StepMessage);
        if (message.status === "running") return;
        const { step, status, detail, durationMs } = message;
        const content = `${step} ${status}${detail === undefined ? "" : `: ${detail}`}`;
        const type = step === "deploy" ? "deploy_finished" : "deploy_step";
        // They are handed over in the order in which they were, and the tree keeps that. Nobody waits for the one
        // before: those of one moment share a commit, which holds up everything else while it lasts.
        void root.then((parentId) =>
          this.#publish({
            type,
            content,
            service: name,
            step,
            status,
            durationMs,
            ...(parentId && { parentId }),
          }),
        );
        if (step === "deploy" && this.#deploys.get(dirName) === root) this.#deploys.delete(dirName);
      },
    };
  }

  /** A deploy in the background was cut off with its server, which could not announce its end. */
  interrupted(name: string, why = ""): void {
    this.#ctx.log.warn(`the deploy of ${name} was interrupted: ${why}`);
    const content = `deploy of ${name} interrupted: ${why}`;
    void this.#publish({
      type: "deploy_finished",
      content,
      service: name,
      step: "deploy",
      status: "interrupted",
    });
  }

  /** Adds a node to the event tree; resolves with its id, if there is a tree that took it. Never rejects. */
  async #publish(node: {
    type: string;
    content: string;
    [field: string]: unknown;
  }): Promise<string | undefined> {
    const { events, log, name } = this.#ctx;
    try {
      const stored: unknown = await events.emit("reef:event", { source: name, ...node });
      const id = (stored as { id?: unknown } | undefined)?.id;
      return typeof id === "string" ? id : undefined;
    } catch (error) {
      log.warn(`the event "${node.content}" could not be stored: ${messageOf(error)}`);
      return undefined;
    }
  }
}
