import { createBrokerService } from "./service.js";

export default createBrokerService();
