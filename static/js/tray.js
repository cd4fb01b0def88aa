// Slides the tray in and out; its opening button names it in data-tray and has the module "tray-button".

export function setOpen(tray, open) {
  tray.toggleAttribute("data-open", open);
  for (const button of document.querySelectorAll(`[data-tray="${tray.id}"]`)) {
    button.setAttribute("aria-expanded", String(open));
  }
}

export function init(tray) {
  // Taking its place beside the page is no movement to watch; only opening and closing are.
  tray.setAttribute("data-still", "");
  tray.setAttribute("data-ready", "");
  setOpen(tray, false);
  requestAnimationFrame(() => requestAnimationFrame(() => tray.removeAttribute("data-still")));
  const close = tray.querySelector("[data-close]");
  const leave = () => {
    setOpen(tray, false);
    document.querySelector(`[data-tray="${tray.id}"]`)?.focus();
  };
  if (close) {
    close.hidden = false;
    close.addEventListener("click", leave);
  }
  tray.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) leave();
  });
}
