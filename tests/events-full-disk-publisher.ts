// Runs on a small disk: publishes until it is full, looks around, makes room and publishes again.
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { startServer } from "../src/core/server.js";

const folder = process.argv[2] ?? "";
const filler = join(folder, "filler");
writeFileSync(filler, new Uint8Array(8 * 1024 * 1024));
const reef = await startServer({
  dataDir: join(folder, "data"),
  servicesDir: join(import.meta.dir, "..", "services"),
  authToken: "token",
  port: 0,
});
await reef.settled;
// Copies of the services' code that find no room are discarded, which would make some.
await reef.registry.copies.keepAll([]);

async function call(path: string, body?: object) {
  const response = await fetch(reef.url + path, {
    method: body ? "POST" : "GET",
    headers: { authorization: "Bearer token" },
    body: body && JSON.stringify(body),
  });
  return { status: response.status, data: await response.json() };
}

const publish = (content: string) => call("/feed/events", { type: "filling", source: "test", content });
const list = async (query = "") => {
  const ids: string[] = [];
  for (let cursor = ""; ; ) {
    const { data } = await call(`/feed/events?limit=1000${query}${cursor}`);
    for (const { id } of data.events) ids.push(id);
    if (!data.next) return ids.reverse();
    cursor = `&cursor=${data.next}`;
  }
};

const stream = await fetch(`${reef.url}/feed/stream`, { headers: { authorization: "Bearer token" } });
const acknowledged: string[] = [];
let refusal: Awaited<ReturnType<typeof publish>> | undefined;
const content = "x".repeat(20_000);
while (!refusal) {
  const replies = await Promise.all(Array.from({ length: 10 }, () => publish(content)));
  for (const reply of replies) {
    if (reply.status === 201) acknowledged.push(reply.data.id);
    else refusal = reply;
  }
}
const whileFull = {
  again: (await publish(content)).status,
  health: (await call("/health")).status,
  listed: await list("&type=filling"),
  stats: (await call("/feed/stats")).data,
  searched: (await call("/feed/events?q=nothing")).status,
};
rmSync(filler);
const after = await publish("after");
const afterwards = await list("&type=filling");
const found = (await call("/feed/events?q=after")).data.count;
const reader = stream.body?.getReader();
let streamed = "";
while (!streamed.includes('"after"')) streamed += new TextDecoder().decode((await reader?.read())?.value);
await reader?.cancel();
await reef.stop();
const seen = streamed.split('"type":"filling"').length - 1;
const result = {
  acknowledged,
  refusal,
  whileFull,
  after: after.status,
  afterId: after.data.id,
  afterwards,
  found,
  seen,
};
console.log(`\n${JSON.stringify(result)}`);
process.exit(0);
