// Keeps a part of the page fresh: fetches data-src every data-every seconds and swaps it in, never while hidden.

import { start } from "./bind.js";
import { tell, word } from "./page.js";

const PATIENCE = 5;

export function init(region) {
  const pause = Number(region.dataset.every || 5) * 1000;
  let faults = 0;
  let timer;

  async function refresh() {
    const reply = await fetch(region.dataset.src, {
      credentials: "same-origin",
      headers: { "X-Requested-With": "fetch", Accept: "text/html" },
    });
    if (!reply.ok || reply.redirected) throw new Error(String(reply.status));
    const html = await reply.text();
    faults = 0;
    // Swapping under a reader's hand would take the focus or an open menu away.
    const busy = region.contains(document.activeElement) || region.querySelector("details[open]");
    if (busy || html === region.dataset.last) return;
    region.dataset.last = html;
    region.innerHTML = html;
    await start(region);
  }

  async function turn() {
    if (!document.hidden) {
      try {
        await refresh();
      } catch {
        faults += 1;
        if (faults === PATIENCE) return tell(word("liveLost"), "warning");
      }
    }
    timer = setTimeout(turn, pause * (faults + 1));
    return undefined;
  }

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    clearTimeout(timer);
    if (faults < PATIENCE) turn();
  });
  timer = setTimeout(turn, pause);
}
