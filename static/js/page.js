// What all modules share: the page's words, its announcer, and a POST that carries the proof of origin.

export function word(name) {
  return document.getElementById("words")?.dataset[name] ?? "";
}

export function announce(text) {
  const place = document.getElementById("announcer");
  if (!place) return;
  place.textContent = "";
  // A changed text is only spoken when the node was empty for a moment.
  setTimeout(() => (place.textContent = text), 50);
}

export function tell(text, kind = "error") {
  const row = document.querySelector(".flashes");
  if (!row) return announce(text);
  const box = document.createElement("div");
  box.className = `flash flash--${kind}`;
  box.dataset.told = "";
  box.setAttribute("role", kind === "error" ? "alert" : "status");
  const words = document.createElement("div");
  words.className = "flash__text";
  words.textContent = text;
  box.append(words);
  row.replaceChildren(box);
  row.scrollIntoView({ block: "nearest" });
}

export function untell() {
  for (const box of document.querySelectorAll(".flash[data-told]")) box.remove();
}

export async function post(url, fields) {
  const reply = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: {
      Accept: "application/json",
      "X-CSRFToken": document.querySelector('meta[name="csrf-token"]')?.content ?? "",
      "X-Requested-With": "fetch",
    },
    body: new URLSearchParams(fields),
  });
  const isJson = (reply.headers.get("Content-Type") ?? "").includes("json");
  const body = isJson ? await reply.json() : {};
  return { ok: reply.ok && !body.error, status: reply.status, body };
}

export function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined) node.setAttribute(key, value);
  }
  node.append(...children);
  return node;
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const sprite = new URL("../img/icons.svg", import.meta.url).pathname;
  use.setAttribute("href", `${sprite}#${name}`);
  svg.append(use);
  return svg;
}
