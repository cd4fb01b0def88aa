// Sends a filter form when a choice changes; its button, needed without a script, steps back.

export function init(form) {
  form.addEventListener("change", (event) => {
    if (event.target.matches('input[type="search"], input[type="text"], textarea')) return;
    form.requestSubmit();
  });
  for (const button of form.querySelectorAll("[data-without-script]")) button.hidden = true;
}
