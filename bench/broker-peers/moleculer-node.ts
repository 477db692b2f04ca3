/** A second Moleculer node, reached over its TCP transporter. */
import { ServiceBroker } from "moleculer";
import { mathService } from "./moleculer-service.js";

const [port, peer] = process.argv.slice(2);
const broker = new ServiceBroker({
  nodeID: "callee",
  logger: false,
  transporter: {
    type: "TCP",
    options: { udpDiscovery: false, port: Number(port), urls: peer ?? "" },
  },
});
broker.createService(mathService);
await broker.start();
console.log("ready");
