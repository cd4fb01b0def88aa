// Campaign parameters while they are written: what they would make of an address, told by the server.

const CALM = 300;

export function init(form) {
  const shown = form.querySelector("[data-example]");
  for (const button of form.querySelectorAll("[data-without-script]")) button.hidden = true;
  let timer;
  let turn = 0;
  const ask = async () => {
    const mine = (turn += 1);
    const names = ["channel", "source", "medium", "campaign"];
    const query = new URLSearchParams(names.map((name) => [name, form.elements.namedItem(name)?.value ?? ""]));
    const reply = await fetch(`${form.dataset.exampleUrl}?${query}`, { headers: { Accept: "application/json" } }).catch(() => null);
    const answer = await reply?.json().catch(() => null);
    if (mine === turn && answer) shown.textContent = answer.address ?? answer.message ?? "";
  };
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(ask, CALM);
  });
}
