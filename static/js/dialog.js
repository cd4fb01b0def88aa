// Opens the native dialog that a button names in data-dialog.

export function init(button) {
  const dialog = document.getElementById(button.dataset.dialog);
  if (!dialog) return;
  button.setAttribute("aria-haspopup", "dialog");
  button.addEventListener("click", (event) => {
    event.preventDefault();
    dialog.showModal();
  });
}
