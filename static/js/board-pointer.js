// Carrying by mouse (press and move) and by touch (long press, then move), with a ghost under the pointer.

import { element } from "./page.js";

const SLACK = 6;
const LONG_PRESS = 380;
const DWELL = 250;
const EDGE = 56;
const PACE = 12;
const NOT_A_HANDLE = "summary, button, input, select, .menu__panel";

class Hand {
  constructor(board) {
    this.board = board;
    this.pressed = null;
    this.ghost = null;
  }

  press(event) {
    if (event.button !== 0 || this.ghost || event.target.closest(NOT_A_HANDLE)) return;
    const thing = this.board.thingAt(event.target);
    if (!thing) return;
    this.pressed = { thing, x: event.clientX, y: event.clientY, touch: event.pointerType !== "mouse" };
    if (this.pressed.touch) this.timer = setTimeout(() => this.begin(), LONG_PRESS);
  }

  move(event) {
    if (!this.pressed) return;
    const { x, y, touch } = this.pressed;
    const far = Math.hypot(event.clientX - x, event.clientY - y) > SLACK;
    Object.assign(this, { x: event.clientX, y: event.clientY });
    if (this.ghost) this.follow();
    else if (far && touch) this.stop();
    else if (far) this.begin();
  }

  begin() {
    const { thing, x, y, touch } = this.pressed;
    this.x ??= x;
    this.y ??= y;
    this.board.lift(thing);
    this.ghost = thing.origin.cloneNode(true);
    for (const name of ["data-post", "data-asset", "data-move-url", "data-carried"]) this.ghost.removeAttribute(name);
    this.ghost.classList.add("board-ghost");
    this.ghost.classList.toggle("board-ghost--touch", touch);
    this.ghost.setAttribute("aria-hidden", "true");
    this.note = element("p", { class: "board-ghost__note", hidden: "" });
    this.ghost.append(this.note);
    document.body.append(this.ghost);
    document.body.setAttribute("data-dragging", "");
    if (touch) navigator.vibrate?.(12);
    this.follow();
    this.scroll();
  }

  follow() {
    // Beside a mouse, above a finger, which would cover it.
    const { offsetWidth, offsetHeight } = this.ghost;
    const [left, top] = this.pressed.touch ? [-offsetWidth / 2, -offsetHeight - 18] : [10, 8];
    this.ghost.style.transform = `translate(${this.x + left}px, ${this.y + top}px)`;
    const under = document.elementFromPoint(this.x, this.y);
    this.dwell(under?.closest?.("[data-day-link]"));
    const target = this.board.targetAt(under);
    if (target !== this.board.target) this.tell("");
    this.board.hover(target);
  }

  // On a phone one rests on a day to turn to it; merely passing over it turns nothing.
  dwell(day) {
    if (day === this.day) return;
    this.day = day;
    clearTimeout(this.dayTimer);
    if (day) this.dayTimer = setTimeout(() => this.board.showDay(day.dataset.dayLink), DWELL);
  }

  tell(words) {
    if (!this.note) return;
    this.note.textContent = words;
    this.note.hidden = !words;
  }

  scroll() {
    if (!this.ghost) return;
    const { frame } = this.board;
    const own = frame.scrollHeight > frame.clientHeight + 1 && getComputedStyle(frame).overflowY !== "visible";
    const box = own ? frame.getBoundingClientRect() : { left: 0, top: 0, right: innerWidth, bottom: innerHeight };
    const pull = (at, low, high) => (at < low + EDGE ? -PACE : at > high - EDGE ? PACE : 0);
    const across = own ? pull(this.x, box.left, box.right) : 0;
    (own ? frame : window).scrollBy(across, pull(this.y, box.top, box.bottom));
    requestAnimationFrame(() => this.scroll());
  }

  release() {
    const { target } = this.board;
    if (!this.ghost) return this.stop();
    this.swallowClick();
    this.stop(false);
    return target ? this.board.drop(target) : this.board.letGo();
  }

  // The press that carried must not also follow the card's link.
  swallowClick() {
    const swallow = (event) => {
      event.preventDefault();
      event.stopPropagation();
    };
    addEventListener("click", swallow, { capture: true, once: true });
    setTimeout(() => removeEventListener("click", swallow, { capture: true }), 50);
  }

  stop(letGo = true) {
    clearTimeout(this.timer);
    this.dwell(null);
    if (letGo && this.ghost) this.board.letGo();
    this.ghost?.remove();
    document.body.removeAttribute("data-dragging");
    Object.assign(this, { pressed: null, ghost: null, note: null, x: undefined, y: undefined });
  }
}

export function bindPointer(board) {
  const hand = new Hand(board);
  board.onForeseen = (words) => hand.tell(words);
  document.addEventListener("pointerdown", (event) => hand.press(event));
  document.addEventListener("pointermove", (event) => hand.move(event));
  document.addEventListener("pointerup", () => hand.release());
  document.addEventListener("pointercancel", () => hand.stop());
  document.addEventListener("keydown", (event) => event.key === "Escape" && hand.ghost && hand.stop());
  // Once carrying, the finger must not scroll the page; only a non-passive listener can say so.
  document.addEventListener("touchmove", (event) => hand.ghost && event.cancelable && event.preventDefault(), { passive: false });
  document.addEventListener("contextmenu", (event) => hand.pressed?.touch && event.preventDefault());
  // The browser's own dragging of links and pictures would take the pointer away.
  document.addEventListener("dragstart", (event) => hand.pressed && event.preventDefault());
  for (const thing of document.querySelectorAll("[data-post][data-move-url], [data-asset]")) thing.setAttribute("data-grab", "");
}
