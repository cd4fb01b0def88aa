// The week board: what may be carried where, the move itself, and the cells that change by it.
// The carrying hands are in board-pointer.js (mouse, touch) and board-keys.js (keyboard).

import { start } from "./bind.js";
import { bindKeys } from "./board-keys.js";
import { bindPointer } from "./board-pointer.js";
import { announce, post, tell, untell, word } from "./page.js";

const THINGS = "[data-post][data-move-url], [data-asset]";

export class Board {
  constructor(frame) {
    this.frame = frame;
    this.thing = null;
    this.target = null;
    this.asked = 0;
  }

  thingAt(node) {
    const origin = node?.closest?.(THINGS);
    if (!origin) return null;
    const title = origin.querySelector("a")?.textContent.trim() ?? "";
    const { post: id, asset, moveUrl } = origin.dataset;
    if (id) return { origin, title, url: moveUrl, fields: {}, key: { post: id } };
    const url = this.frame.dataset.createUrl;
    return url ? { origin, title, url, fields: { asset }, key: { asset } } : null;
  }

  targetAt(node) {
    const target = node?.closest?.("[data-slot]");
    return target && this.frame.contains(target) && !target.closest("[data-past]") ? target : null;
  }

  lift(thing) {
    this.thing = thing;
    thing.origin.setAttribute("data-carried", "");
    this.frame.setAttribute("data-carrying", "");
  }

  hover(target) {
    if (target === this.target) return;
    this.target?.removeAttribute("data-over");
    this.target = target;
    target?.setAttribute("data-over", "yes");
    this.foresee(target);
  }

  // The server may tell beforehand what a move would meet: {error, message, warnings}.
  async foresee(target) {
    const turn = (this.asked += 1);
    if (!target || !this.frame.dataset.checkUrl || !this.thing) return;
    const url = new URL(this.frame.dataset.checkUrl, location.href);
    for (const [name, value] of Object.entries({ ...this.thing.key, slot: target.dataset.slot })) {
      url.searchParams.set(name, value);
    }
    const reply = await fetch(url, { headers: { Accept: "application/json" } }).catch(() => null);
    const body = reply ? await reply.json().catch(() => ({})) : {};
    if (turn !== this.asked || target !== this.target) return;
    if (body.error) target.setAttribute("data-over", "no");
    const words = [body.message, ...(body.warnings ?? [])].filter(Boolean).join(" ");
    if (words) announce(words);
    this.onForeseen?.(words);
  }

  letGo() {
    this.thing?.origin.removeAttribute("data-carried");
    this.frame.removeAttribute("data-carrying");
    this.hover(null);
    const { thing } = this;
    this.thing = null;
    return thing;
  }

  async drop(target) {
    const thing = this.letGo();
    if (!thing || !target) return null;
    let reply;
    try {
      reply = await post(thing.url, { ...thing.fields, slot: target.dataset.slot });
    } catch {
      tell(word("network"));
      return null;
    }
    if (!reply.ok) {
      tell(reply.body.message || word("network"));
      return null;
    }
    untell();
    const landed = this.swap(reply.body, thing);
    announce(reply.body.message || word("dropped"));
    return landed;
  }

  swap(body, thing) {
    const cells = body.cells ?? (body.cell ? { [body.cell]: body.html } : {});
    const known = new Set([...this.frame.querySelectorAll("[data-post]")].map((card) => card.dataset.post));
    for (const [id, html] of Object.entries(cells)) {
      const cell = this.frame.querySelector(`[data-cell="${CSS.escape(id)}"]`);
      if (!cell) continue;
      cell.innerHTML = html;
      start(cell);
    }
    this.refresh?.();
    const cards = [...this.frame.querySelectorAll("[data-post]")];
    const landed = thing.key.post
      ? cards.find((card) => card.dataset.post === thing.key.post)
      : cards.find((card) => !known.has(card.dataset.post));
    landed?.setAttribute("data-landed", "");
    setTimeout(() => landed?.removeAttribute("data-landed"), 1500);
    return landed ?? null;
  }

  showDay(number) {
    this.frame.dataset.day = number;
    for (const link of document.querySelectorAll("[data-day-link]")) {
      if (link.dataset.dayLink === String(number)) link.setAttribute("aria-current", "date");
      else link.removeAttribute("aria-current");
    }
    this.refresh?.();
  }
}

export function init(frame) {
  const board = new Board(frame);
  bindKeys(board);
  bindPointer(board);
  for (const link of document.querySelectorAll("[data-day-link]")) {
    link.addEventListener("click", (event) => {
      event.preventDefault();
      board.showDay(link.dataset.dayLink);
      history.replaceState(null, "", link.href);
    });
  }
}
