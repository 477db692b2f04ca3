import { describe, expect, test } from "bun:test";
import { agentNameOf } from "./agent-name.js";
import { createFleetClient } from "./client.js";

const URL = "http://reef.example/x";

/** The request that an agent of this name sends. */
async function requestOf(name: string): Promise<Request> {
  const sent: Request[] = [];
  const client = createFleetClient({
    env: { VERS_INFRA_URL: "http://reef.example", VERS_AGENT_NAME: name },
    fetch: async (url, init) => {
      sent.push(new Request(url, init));
      return Response.json({});
    },
  });
  await client.api("GET", "/x");
  return sent[0] as Request;
}

describe("the name of an agent", () => {
  test.each(["ada", "Jürgen", "Zoë 日", "100%", "a%20b", "%C3", " spaced ", "50% off, 100% on", "\u{1f41a}"])(
    "arrives as it is: %j",
    async (name) => {
      expect(agentNameOf(await requestOf(name))).toBe(name);
    },
  );

  test.each([
    ["Zoë 日\n", "Zoë 日%0A"],
    ["\x1b[2Jred", "%1B[2Jred"],
    ["a\0b\x7f", "a%00b%7F"],
    ["\x9b2J", "%C2%9B2J"],
  ])("keeps control characters encoded: %j", async (name, expected) => {
    expect(agentNameOf(await requestOf(name))).toBe(expected);
  });

  test.each([
    ["%0a%1b[2J", "%0A%1B[2J"],
    ["\x9b2J", "%C2%9B2J"],
    ["\x9b100%", "%C2%9B100%"],
  ])("that another client sends brings none either: %j", (given, expected) => {
    expect(agentNameOf(new Request(URL, { headers: { "x-reef-agent-name": given } }))).toBe(expected);
  });

  test.each(["100%", "%zz", "%C3", "J%FCrgen"])(
    "is taken as it is when its encoding is none: %s",
    (given) => {
      expect(agentNameOf(new Request(URL, { headers: { "x-reef-agent-name": given } }))).toBe(given);
    },
  );

  test("is none when the header is absent or empty", () => {
    expect(agentNameOf(new Request(URL))).toBeUndefined();
    expect(agentNameOf(new Request(URL, { headers: { "x-reef-agent-name": "" } }))).toBeUndefined();
  });
});
