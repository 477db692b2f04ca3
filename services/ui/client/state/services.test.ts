import { expect, test } from "bun:test";
import { connections } from "./live.js";
import {
  calling,
  deployOf,
  deploys,
  followServices,
  forgetDeploy,
  isDeploying,
  setDeploy,
} from "./services.js";

test("deploys whose end may have been missed are forgotten after a new connection, all others kept", () => {
  followServices();
  setDeploy("cut-off", { steps: [{ step: "validate", status: "running" }] });
  setDeploy("done", { steps: [], deployed: true });
  setDeploy("own", { steps: [] });
  calling.add("own");
  connections.value++;
  expect([...deploys.value.keys()].toSorted()).toEqual(["done", "own"]);
});

test.each(["constructor", "toString", "__proto__"])(
  "no deploy is known of %s before there is one",
  (name) => {
    expect([deployOf(name), isDeploying(name)]).toEqual([undefined, false]);
    setDeploy(name, { steps: [] });
    expect([deployOf(name), isDeploying(name)]).toEqual([{ steps: [] }, true]);
    forgetDeploy(name);
    expect([deployOf(name), isDeploying(name)]).toEqual([undefined, false]);
  },
);
