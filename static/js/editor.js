// The writing desk: a preview that follows the text, pictures put in where the cursor stands, and nothing lost.

import { announce, element, tell, word } from "./page.js";

const CALM = 400;
const token = () => document.querySelector('meta[name="csrf-token"]')?.content ?? "";

async function send(url, body) {
  const headers = { "X-CSRFToken": token(), "X-Requested-With": "fetch" };
  return fetch(url, { method: "POST", credentials: "same-origin", headers, body }).catch(() => null);
}

function followText(form, area) {
  const pane = form.querySelector("[data-preview]");
  if (!area || !pane) return;
  let timer;
  let asked = 0;
  const show = async () => {
    const turn = (asked += 1);
    const reply = await send(form.dataset.previewUrl, new URLSearchParams({ body: area.value }));
    if (turn !== asked || !reply?.ok) return;
    pane.innerHTML = await reply.text();
    pane.hidden = false;
  };
  area.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(show, CALM);
  });
  form.querySelector('[name="do"][value="preview"]')?.addEventListener("click", (event) => {
    event.preventDefault();
    show();
  });
  if (area.value.trim()) show();
}

async function insertPicture(form, area, file, words) {
  const body = new FormData();
  body.append("file", file);
  announce(word("uploading"));
  const reply = await send(form.dataset.pictureUrl, body);
  const answer = await reply?.json().catch(() => null);
  if (!reply?.ok) return tell(answer?.message ?? word("network"));
  const clean = words.replaceAll(/[[\]]/g, "");
  area.setRangeText(`\n\n![${clean}](${answer.address})\n`, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  return area.focus();
}

function takePictures(form, area) {
  const group = form.querySelector("[data-inline]");
  if (!area || !group) return;
  const file = group.querySelector('input[type="file"]');
  const words = group.querySelector('input[type="text"]');
  group.querySelector('[name="do"]')?.addEventListener("click", (event) => {
    if (!file.files.length) return;
    event.preventDefault();
    insertPicture(form, area, file.files[0], words.value).then(() => {
      file.value = "";
      words.value = "";
    });
  });
  for (const moment of ["paste", "drop"]) {
    area.addEventListener(moment, (event) => {
      const picture = [...(event.clipboardData ?? event.dataTransfer).files].find((one) => one.type.startsWith("image/"));
      if (!picture) return;
      event.preventDefault();
      insertPicture(form, area, picture, "");
    });
  }
}

function keepDraft(form) {
  const key = `seedbed-draft-${form.dataset.keep}`;
  const fields = [...form.querySelectorAll('textarea, input[type="text"], input[type="url"]')];
  const read = () => Object.fromEntries(fields.map((field) => [field.name, field.value]));
  const before = JSON.stringify(read());
  const isFresh = !form.querySelector(".field__error");
  const kept = isFresh ? localStorage.getItem(key) : null;
  if (kept && kept !== before) {
    restore(form, fields, JSON.parse(kept));
    offerToForget(form, key);
  }
  let timer;
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => localStorage.setItem(key, JSON.stringify(read())), CALM);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    // A refused save comes back with everything typed, so the copy is no longer needed.
    localStorage.removeItem(key);
  });
}

function restore(form, fields, kept) {
  for (const field of fields) {
    if (field.name in kept) field.value = kept[field.name];
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
}

function offerToForget(form, key) {
  const forget = element("button", { type: "button", class: "button button--small" }, form.dataset.forget);
  const box = element("div", { class: "flash flash--info", role: "status" }, element("div", { class: "flash__text" }, form.dataset.restored), forget);
  forget.addEventListener("click", () => {
    localStorage.removeItem(key);
    location.reload();
  });
  form.prepend(box);
}

export function init(form) {
  const area = form.querySelector('textarea[name="body"]');
  followText(form, area);
  takePictures(form, area);
  try {
    keepDraft(form);
  } catch {
    // A browser that keeps nothing (private mode) still writes and saves.
  }
}
