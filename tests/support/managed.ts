/** A listening Reef over a sandbox, with the real services manager in it. */
import { type ApiReply, type Listening, type ListeningOptions, startListening } from "./listening.js";
import { type Files, Sandbox, TOKEN } from "./sandbox.js";

export type { ApiReply } from "./listening.js";

export interface Managed extends Listening {
  deploy(name: string): Promise<ApiReply>;
}

export const AUTHORIZED = { authorization: `Bearer ${TOKEN}` };

/** `sandbox` continues in the folders of a server that was stopped. */
export async function startManaged(services: Files = {}, options: ListeningOptions = {}): Promise<Managed> {
  const { sandbox = new Sandbox(services), ...server } = options;
  const reef = await startListening({
    ...server,
    sandbox,
    links: ["services/services"],
  });
  return { ...reef, deploy: (name) => reef.api("POST", "/services/deploy", { name }) };
}
