// Lets a notice be closed, and puts the focus on a form's list of faults.

export function init(notice) {
  const button = notice.querySelector("[data-close]");
  if (button) {
    button.hidden = false;
    button.addEventListener("click", () => notice.remove());
  }
  if (notice.hasAttribute("data-focus")) notice.focus();
}
