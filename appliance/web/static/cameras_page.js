import { keepUp } from "./upkeep.js";

keepUp("/cameras/parts");
