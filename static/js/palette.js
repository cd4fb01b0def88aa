// Ctrl-K: go anywhere, find any asset. Asks data-src?q= for [{label, detail, href, icon}] while one types.

import { element, icon, word } from "./page.js";

const CALM = 120;

function optionFor(item, number) {
  const option = element(
    "li",
    { class: "palette__option", role: "option", id: `palette-${number}`, "aria-selected": "false" },
    icon(item.icon || "arrow-right"),
    element("span", {}, item.label),
    element("span", { class: "palette__detail" }, item.detail || ""),
  );
  option.dataset.href = item.href;
  return option;
}

function build() {
  const list = element("ul", { class: "palette__list", role: "listbox", id: "palette-list", "aria-label": word("paletteLabel") });
  const input = element("input", {
    class: "palette__input",
    type: "text",
    role: "combobox",
    "aria-expanded": "true",
    "aria-controls": "palette-list",
    "aria-label": word("paletteLabel"),
    placeholder: word("paletteLabel"),
    autocomplete: "off",
    spellcheck: "false",
  });
  const hint = element(
    "p",
    { class: "palette__hint" },
    element("span", {}, element("kbd", {}, "↑"), element("kbd", {}, "↓"), ` ${word("paletteMove")}`),
    element("span", {}, element("kbd", {}, "↵"), ` ${word("paletteOpen")}`),
  );
  const dialog = element("dialog", { class: "palette", "aria-label": word("paletteLabel") }, input, list, hint);
  document.body.append(dialog);
  return { dialog, input, list };
}

class Palette {
  constructor(source) {
    this.source = source;
    Object.assign(this, build());
    this.chosen = 0;
    this.asked = 0;
    this.input.addEventListener("input", () => this.later());
    this.input.addEventListener("keydown", (event) => this.onKey(event));
    this.list.addEventListener("click", (event) => this.go(event.target.closest("[data-href]")));
    this.list.addEventListener("pointermove", (event) => {
      const option = event.target.closest("[data-href]");
      if (option) this.choose(this.options.indexOf(option));
    });
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close();
    });
  }

  get options() {
    return [...this.list.querySelectorAll("[data-href]")];
  }

  open() {
    if (this.dialog.open) return;
    this.dialog.showModal();
    this.input.select();
    this.ask();
  }

  later() {
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.ask(), CALM);
  }

  async ask() {
    const turn = (this.asked += 1);
    const url = new URL(this.source, location.href);
    url.searchParams.set("q", this.input.value.trim());
    const reply = await fetch(url, { credentials: "same-origin", headers: { Accept: "application/json" } }).catch(() => null);
    // An older, slower answer must not overwrite a newer one.
    if (turn !== this.asked) return;
    const items = reply?.ok ? await reply.json() : null;
    this.show(items, items ? word("paletteNone") : word("network"));
  }

  show(items, otherwise) {
    if (!items?.length) {
      this.list.replaceChildren(element("li", { class: "palette__option" }, otherwise));
      this.input.removeAttribute("aria-activedescendant");
      return;
    }
    this.list.replaceChildren(...items.map(optionFor));
    this.choose(0);
  }

  choose(number) {
    const { options } = this;
    if (!options.length) return;
    this.chosen = (number + options.length) % options.length;
    options.forEach((option, at) => option.setAttribute("aria-selected", String(at === this.chosen)));
    options[this.chosen].scrollIntoView({ block: "nearest" });
    this.input.setAttribute("aria-activedescendant", options[this.chosen].id);
  }

  onKey(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.choose(this.chosen + step);
    else if (event.key === "Enter") this.go(this.options[this.chosen]);
    else return;
    event.preventDefault();
  }

  go(option) {
    if (option) location.assign(option.dataset.href);
  }
}

export function init(body) {
  let palette;
  const open = () => (palette ??= new Palette(body.dataset.src)).open();
  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      open();
    }
  });
  for (const button of document.querySelectorAll("[data-palette]")) {
    button.hidden = false;
    button.addEventListener("click", open);
  }
}
