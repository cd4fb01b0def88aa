// The button that opens and closes a tray.

import { setOpen } from "./tray.js";

export function init(button) {
  const tray = document.getElementById(button.dataset.tray);
  if (!tray) return;
  button.setAttribute("aria-controls", tray.id);
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", () => {
    const open = !tray.hasAttribute("data-open");
    setOpen(tray, open);
    if (open) tray.querySelector("a, button, input")?.focus();
  });
}
