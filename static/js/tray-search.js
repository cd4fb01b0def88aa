// Searches inside the board's tray: asks while one types, swaps the answer in, keeps the field and its focus.

import { start } from "./bind.js";
import { tell, word } from "./page.js";

const CALM = 200;

function swap(place, html) {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const part of place.querySelectorAll(":scope > .tray__items, :scope > p")) part.remove();
  place.append(...fresh.querySelectorAll("body > .tray__items, body > p"));
  for (const item of place.querySelectorAll("[data-asset]")) item.setAttribute("data-grab", "");
  return start(place);
}

export function init(form) {
  let timer;
  let asked = 0;
  const ask = async () => {
    const turn = (asked += 1);
    const address = `${form.action}?${new URLSearchParams(new FormData(form))}`;
    const reply = await fetch(address, { credentials: "same-origin", headers: { "X-Requested-With": "fetch", Accept: "text/html" } }).catch(() => null);
    if (turn !== asked) return undefined;
    return reply?.ok ? swap(form.parentElement, await reply.text()) : tell(word("network"));
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    ask();
  });
  form.addEventListener("change", ask);
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, CALM);
  });
}
