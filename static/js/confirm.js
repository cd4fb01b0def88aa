// Asks before a form is sent, in a native dialog; the button or form says what is at stake in data-confirm.

import { element, word } from "./page.js";

function ask(question, label) {
  const cancel = element("button", { type: "button", class: "button", value: "" }, word("cancel"));
  const go = element("button", { type: "button", class: "button button--primary", value: "yes" }, label || word("confirm"));
  const text = element("p", { id: "confirm-question" }, question);
  const dialog = element(
    "dialog",
    { class: "dialog", "aria-labelledby": "confirm-question" },
    element("div", { class: "dialog__body" }, text),
    element("div", { class: "dialog__foot" }, cancel, go),
  );
  document.body.append(dialog);
  for (const button of [cancel, go]) button.addEventListener("click", () => dialog.close(button.value));
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    });
    dialog.showModal();
    cancel.focus();
  });
}

export function init(origin) {
  const form = origin.form ?? origin.closest("form");
  if (!form) return;
  let agreed = false;
  form.addEventListener("submit", async (event) => {
    const submitter = event.submitter;
    if (agreed || (origin !== form && submitter !== origin)) return;
    event.preventDefault();
    event.stopImmediatePropagation();
    agreed = await ask(origin.dataset.confirm, submitter?.textContent.trim());
    if (agreed) form.requestSubmit(submitter);
    agreed = false;
  });
}
