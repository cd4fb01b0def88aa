// A preview that follows the words: what is typed is drawn by the server exactly as it would be sent. Nothing is saved.

import { start } from "./bind.js";
import { RECOUNT } from "./counter.js";
import { announce, post } from "./page.js";

const CALM = 300;
const LEFT_OUT = new Set(["csrf_token", "do", "next"]);

function fieldsOf(form, on) {
  const fields = [...new FormData(form)].filter(([name, value]) => !LEFT_OUT.has(name) && name !== "on" && typeof value === "string");
  return on ? [...fields, ["on", on]] : fields;
}

function recount(form, counter) {
  const output = form.querySelector('output[data-module="counter"]');
  if (!output) return;
  for (const name of ["limit", "unit", "extra", "pattern"]) output.dataset[name] = counter?.[name] ?? "";
  output.dispatchEvent(new Event(RECOUNT));
}

// Whoever opened a part of the pane, or stood on a link in it, finds it so again.
function swap(pane, html) {
  const wasOpen = [...pane.querySelectorAll("details")].map((one) => one.open);
  const stoodOn = pane.contains(document.activeElement) ? document.activeElement.dataset.on : undefined;
  pane.innerHTML = html;
  pane.querySelectorAll("details").forEach((one, at) => {
    if (wasOpen[at] !== undefined) one.open = one.open || wasOpen[at];
  });
  if (stoodOn !== undefined) {
    const again = pane.querySelector(`a[data-on="${CSS.escape(stoodOn)}"]`) ?? pane.querySelector("summary, a");
    again?.focus();
  }
  return start(pane);
}

export function init(form) {
  const pane = document.getElementById(form.dataset.pane);
  if (!pane) return;
  for (const button of form.querySelectorAll("[data-without-script]")) button.hidden = true;
  let on = form.elements.namedItem("on")?.value ?? "";
  let timer;
  let turn = 0;
  let trouble = "";

  const ask = async () => {
    const mine = (turn += 1);
    const { ok, body } = await post(form.dataset.previewUrl, fieldsOf(form, on)).catch(() => ({ ok: false }));
    if (mine !== turn) return;
    pane.toggleAttribute("data-stale", !ok);
    if (!ok) return;
    swap(pane, body.html);
    recount(form, body.counter);
    const first = body.problems?.[0] ?? "";
    if (first && first !== trouble) announce(first);
    trouble = first;
  };
  const soon = () => {
    clearTimeout(timer);
    timer = setTimeout(ask, CALM);
  };

  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  pane.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-on]");
    if (!link || event.metaKey || event.ctrlKey || event.shiftKey) return;
    event.preventDefault();
    on = link.dataset.on;
    clearTimeout(timer);
    ask();
  });
}
