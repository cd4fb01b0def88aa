// Changes day and night at once; the choice is stored by the same form that works without a script.

import { post } from "./page.js";

export function init(form) {
  form.addEventListener("submit", async (event) => {
    const button = event.submitter;
    if (button?.name !== "theme") return;
    event.preventDefault();
    document.documentElement.dataset.theme = button.value;
    for (const other of document.querySelectorAll('button[name="theme"]')) {
      other.setAttribute("aria-pressed", String(other.value === button.value));
    }
    await post(form.action, { theme: button.value }).catch(() => null);
  });
}
