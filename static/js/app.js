// What every page begins with. Styles know by data-scripts whether scripts run, and when all are bound.

import { start } from "./bind.js";

document.documentElement.dataset.scripts = "";
start().then(() => {
  document.documentElement.dataset.scripts = "ready";
});
