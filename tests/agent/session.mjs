// A real pi in this process, with its faux model provider. Runs on Node and on Bun; prints one line of JSON.
//   session.mjs '{"extensions":["/path/extension.mjs"],"calls":[{"name":"board_create_task","arguments":{}}]}'
import { mkdtempSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fauxAssistantMessage, fauxToolCall, registerFauxProvider } from "@mariozechner/pi-ai";
import {
  AuthStorage,
  createAgentSession,
  DefaultResourceLoader,
  ModelRegistry,
  SessionManager,
  SettingsManager,
} from "@mariozechner/pi-coding-agent";

const {
  extensions,
  calls = [],
  ui = true,
  abortAfterMs,
  aborted = [],
  until = [],
  prompts = 1,
} = JSON.parse(process.argv[2]);
/** Only what never comes takes so long, in milliseconds. */
const PATIENCE_MS = 8000;
const warnings = [];
const { warn } = console;
console.warn = (...parts) => {
  warnings.push(parts.join(" "));
  warn(...parts);
};
const agentDir = mkdtempSync(join(process.env.PI_CODING_AGENT_DIR ?? tmpdir(), "pi-"));
const cwd = process.cwd();

const faux = registerFauxProvider();
const model = faux.getModel();
const settingsManager = SettingsManager.inMemory();
const started = performance.now();
const loader = new DefaultResourceLoader({
  cwd,
  agentDir,
  settingsManager,
  noExtensions: true,
  noSkills: true,
  noPromptTemplates: true,
  noThemes: true,
  noContextFiles: true,
  additionalExtensionPaths: extensions,
});
await loader.reload();
const loadMs = performance.now() - started;
const authStorage = AuthStorage.inMemory();
authStorage.setRuntimeApiKey(model.provider, "none");
const { session, extensionsResult } = await createAgentSession({
  cwd,
  agentDir,
  model,
  authStorage,
  modelRegistry: ModelRegistry.inMemory(authStorage),
  resourceLoader: loader,
  settingsManager,
  sessionManager: SessionManager.inMemory(),
});

const widgets = [];
const notifications = [];
const uiContext = new Proxy(
  {
    setWidget: (key, lines) => widgets.push({ key, lines }),
    notify: (message, type) => notifications.push({ message, type }),
  },
  { get: (target, key) => target[key] ?? (() => undefined) },
);
const errors = [];
const bindStarted = performance.now();
await session.bindExtensions({
  ...(ui ? { uiContext } : {}),
  onError: ({ event, error }) => errors.push(`${event}: ${error}`),
});
const bindMs = performance.now() - bindStarted;

const results = [];
session.subscribe((event) => {
  if (event.type !== "tool_execution_end") return;
  const text = event.result.content.map((part) => part.text).join("\n");
  results.push({ name: event.toolName, isError: event.isError, text });
});
faux.setResponses([
  ...Array.from({ length: prompts - 1 }, () => fauxAssistantMessage("not yet")),
  ...calls.map(({ name, arguments: given = {} }) =>
    fauxAssistantMessage(fauxToolCall(name, given), { stopReason: "toolUse" }),
  ),
  fauxAssistantMessage("done"),
]);
for (let i = 1; i < prompts; i++) await session.prompt("wait");
const promptStarted = performance.now();
const prompting = session.prompt("go");
const aborting = abortAfterMs === undefined ? undefined : setTimeout(() => session.abort(), abortAfterMs);
await prompting;
clearTimeout(aborting);
const promptMs = performance.now() - promptStarted;
for (const type of aborted) {
  const controller = new AbortController();
  await session.extensionRunner.emit({ type, signal: controller.signal });
  controller.abort();
}
const isSaid = (text) =>
  [...warnings, ...notifications.map(({ message }) => message)].join("\n").includes(text);
for (const end = Date.now() + PATIENCE_MS; Date.now() < end && !until.every(isSaid); )
  await new Promise((r) => setTimeout(r, 5));
// The widget is filled without anybody waiting for it.
for (let waited = 0; ui && waited < 40 && widgets.length < 2; waited++)
  await new Promise((r) => setTimeout(r, 5));
await session.extensionRunner.emit({ type: "session_shutdown", reason: "quit" });
session.dispose();
console.log(
  JSON.stringify({
    loadErrors: extensionsResult.errors.map(({ error }) => error),
    tools: session.getAllTools().map(({ name }) => name),
    results,
    errors,
    widgets,
    notifications,
    loadMs,
    bindMs,
    promptMs,
    files: readdirSync(cwd),
  }),
);
