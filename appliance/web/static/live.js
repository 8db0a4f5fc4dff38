import { keepUp } from "./upkeep.js";

keepUp("/live/parts");
