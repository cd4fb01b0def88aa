// Copies a text: data-copy holds it, or data-copy-from names the element that shows it.

import { announce, tell, word } from "./page.js";

function textOf(button) {
  const source = document.getElementById(button.dataset.copyFrom ?? "");
  return source ? (source.value ?? source.textContent) : (button.dataset.copy ?? "");
}

export function init(button) {
  const label = button.querySelector("span") ?? button;
  const usual = label.textContent;
  let back;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(textOf(button));
    } catch {
      tell(word("copyFailed"));
      return;
    }
    label.textContent = word("copied");
    announce(word("copied"));
    clearTimeout(back);
    back = setTimeout(() => (label.textContent = usual), 2000);
  });
}
