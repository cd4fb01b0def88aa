// The keyboard's way over the board: arrows go from stop to stop, Space picks up and puts down, Escape cancels.

import { announce, word } from "./page.js";

const STOPS = ".post__link, .slot, .board__add";
const STEPS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class Keys {
  constructor(board) {
    this.board = board;
    this.frame = board.frame;
    this.refresh();
  }

  rows() {
    return [...this.frame.querySelectorAll("tbody tr")]
      .map((row) => [...row.querySelectorAll("[data-cell]")].filter((cell) => cell.getClientRects().length))
      .filter((cells) => cells.length);
  }

  stopsOf(cell) {
    if (this.board.thing) {
      const slots = [...cell.querySelectorAll("[data-slot]")];
      return (cell.dataset.slot ? [cell, ...slots] : slots).filter((stop) => this.board.targetAt(stop));
    }
    const stops = [...cell.querySelectorAll(STOPS)];
    return stops.length ? stops : [cell];
  }

  // Exactly one stop is in the page's tab order; the arrows move which one.
  refresh() {
    for (const stop of this.frame.querySelectorAll(`${STOPS}, [data-cell]`)) stop.tabIndex = -1;
    const first = this.rows().flat().map((cell) => this.stopsOf(cell)[0]);
    const kept = this.current && this.frame.contains(this.current) ? this.current : first[0];
    if (!kept) return;
    this.current = kept;
    kept.tabIndex = 0;
  }

  focus(stop) {
    if (!stop) return;
    if (this.current) this.current.tabIndex = -1;
    this.current = stop;
    stop.tabIndex = 0;
    stop.focus();
    if (!this.board.thing) return;
    this.board.hover(this.board.targetAt(stop));
    if (stop.dataset.label) announce(stop.dataset.label);
  }

  step([across, down]) {
    const rows = this.rows();
    const cell = this.current?.closest("[data-cell]");
    const row = rows.findIndex((cells) => cells.includes(cell));
    if (row < 0) return this.focus(this.stopsOf(rows[0][0])[0]);
    const column = rows[row].indexOf(cell);
    const here = this.stopsOf(cell);
    const at = Math.max(0, here.indexOf(this.current));
    if (down && here[at + down]) return this.focus(here[at + down]);
    return this.focus(across ? this.beside(rows[row], column, across, at) : this.below(rows, row, column, down));
  }

  beside(cells, column, across, at) {
    for (let next = column + across; cells[next]; next += across) {
      const stops = this.stopsOf(cells[next]);
      if (stops.length) return stops[Math.min(at, stops.length - 1)];
    }
    return null;
  }

  below(rows, row, column, down) {
    for (let next = row + down; rows[next]; next += down) {
      const stops = this.stopsOf(rows[next][column]);
      if (stops.length) return down > 0 ? stops[0] : stops.at(-1);
    }
    return null;
  }

  pick(origin) {
    const thing = this.board.thingAt(origin);
    if (!thing) return false;
    this.from = document.activeElement;
    this.board.lift(thing);
    announce(`${thing.title}. ${word("picked")}`);
    const cell = origin.closest("[data-cell]") ?? this.current?.closest("[data-cell]");
    const near = cell ? this.stopsOf(cell) : [];
    const anywhere = this.rows().flat().flatMap((one) => this.stopsOf(one));
    this.focus(near[0] ?? anywhere[0]);
    return true;
  }

  async put() {
    const landed = await this.board.drop(this.board.target);
    const link = landed?.querySelector(".post__link");
    if (link) this.focus(link);
    else this.back();
  }

  cancel() {
    this.board.letGo();
    announce(word("letGo"));
    this.back();
  }

  back() {
    const place = this.from && document.contains(this.from) ? this.from : this.current;
    if (place && this.frame.contains(place)) this.focus(place);
    else place?.focus();
    this.from = null;
  }

  onKey(event) {
    const carrying = Boolean(this.board.thing);
    const inBoard = this.frame.contains(event.target);
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && carrying) this.cancel();
    else if ([" ", "Enter"].includes(event.key) && carrying && inBoard) this.put();
    else if (event.key === " " && event.target.matches(".post__link, .tray-item__title")) {
      if (!this.pick(event.target)) return;
    } else if (STEPS[event.key] && inBoard && event.target.matches(`${STOPS}, [data-cell]`)) this.step(STEPS[event.key]);
    else return;
    event.preventDefault();
  }
}

export function bindKeys(board) {
  const keys = new Keys(board);
  board.refresh = () => keys.refresh();
  document.addEventListener("keydown", (event) => keys.onKey(event));
  board.frame.addEventListener("focusin", (event) => {
    if (!event.target.matches(`${STOPS}, [data-cell]`) || event.target === keys.current) return;
    if (keys.current) keys.current.tabIndex = -1;
    keys.current = event.target;
    event.target.tabIndex = 0;
  });
}
