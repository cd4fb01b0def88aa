// A post's page: says once that a person's browser shows it, and sends reactions without leaving the page.

const bar = document.querySelector(".react");

function sayOnceVisible() {
  if (document.visibilityState !== "visible") return;
  document.removeEventListener("visibilitychange", sayOnceVisible);
  const told = new URLSearchParams({ proof: bar.dataset.proof, visit: bar.dataset.visit });
  navigator.sendBeacon(bar.dataset.seen, told);
}

async function send(form) {
  const reply = await fetch(form.action, {
    method: "POST",
    credentials: "same-origin",
    headers: { Accept: "application/json", "X-Requested-With": "fetch" },
    body: new URLSearchParams(new FormData(form)),
  });
  if (!reply.ok) throw new Error(String(reply.status));
  return reply.status === 204 ? {} : reply.json();
}

function toggles(form) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const button = form.querySelector("button");
    button.disabled = true;
    try {
      const now = await send(form);
      button.setAttribute("aria-pressed", String(now.pressed));
      form.querySelector("[data-count]").textContent = now.count || "";
    } catch {
      // The plain form shows in words what was wrong.
      form.submit();
    } finally {
      button.disabled = false;
    }
  });
}

function shares(form) {
  form.hidden = false;
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const told = { title: document.title, url: location.href };
    try {
      if (navigator.share) await navigator.share(told);
      else {
        await navigator.clipboard.writeText(told.url);
        const word = form.querySelector("button span");
        word.textContent = form.querySelector("button").dataset.done;
      }
      await send(form);
    } catch {
      // Sharing was called off, or refused: nothing was shared, so nothing is told.
    }
  });
}

if (bar) {
  for (const form of bar.querySelectorAll('[data-act="like"], [data-act="collect"]')) toggles(form);
  const share = bar.querySelector('[data-act="share"]');
  if (share && (navigator.share || navigator.clipboard)) shares(share);
  document.addEventListener("visibilitychange", sayOnceVisible);
  sayOnceVisible();
}
