// Takes a dropped or chosen file, shows a picture of it, and tells how far the sending has come.

import { start } from "./bind.js";
import { element, tell, word } from "./page.js";

const SIDE = 640;

async function picture(file) {
  // A canvas, since a blob: address would need a wider content policy.
  const bitmap = await createImageBitmap(file);
  const scale = Math.min(1, SIDE / Math.max(bitmap.width, bitmap.height));
  const canvas = element("canvas", { class: "drop__preview", role: "img", "aria-label": file.name });
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext("2d").drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return canvas;
}

function replacePage(request) {
  // The server answered as for any form: a redirect was followed, or the form came back with its faults.
  if (request.status < 400 && request.responseURL !== location.href) {
    return location.assign(request.responseURL);
  }
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const answer = page.querySelector("main");
  if (!answer) return tell(word("network"));
  document.querySelector("main").replaceWith(answer);
  return start(answer);
}

function send(form, bar, submitter) {
  const request = new XMLHttpRequest();
  request.upload.addEventListener("progress", (event) => {
    if (event.lengthComputable) bar.value = event.loaded / event.total;
  });
  request.addEventListener("load", () => replacePage(request));
  request.addEventListener("error", () => {
    bar.remove();
    if (submitter) submitter.disabled = false;
    tell(word("network"));
  });
  const fields = new FormData(form);
  if (submitter?.name) fields.append(submitter.name, submitter.value);
  request.open("POST", form.action);
  request.send(fields);
  if (submitter) submitter.disabled = true;
}

export function init(drop) {
  const input = drop.querySelector('input[type="file"]');
  const form = input?.form;
  if (!input) return;
  const show = async () => {
    drop.querySelector(".drop__preview")?.remove();
    const file = input.files[0];
    if (!file?.type.startsWith("image/")) return;
    const canvas = await picture(file).catch(() => null);
    if (canvas) drop.prepend(canvas);
  };
  input.addEventListener("change", show);
  drop.addEventListener("dragover", (event) => {
    event.preventDefault();
    drop.setAttribute("data-over", "");
  });
  drop.addEventListener("dragleave", () => drop.removeAttribute("data-over"));
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.removeAttribute("data-over");
    if (!event.dataTransfer.files.length) return;
    input.files = event.dataTransfer.files;
    show();
  });
  form?.addEventListener("submit", (event) => {
    if (event.defaultPrevented || !input.files.length) return;
    event.preventDefault();
    const bar = element("progress", { class: "bar", max: 1, "aria-label": word("uploading") });
    drop.append(bar);
    send(form, bar, event.submitter);
  });
}
