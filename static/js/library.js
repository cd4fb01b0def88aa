// Folds the filters away where they would stand before the list.

const narrow = matchMedia("(max-width: 60rem)");

export function init(side) {
  const fit = () => (side.open = !narrow.matches);
  narrow.addEventListener("change", fit);
  fit();
}
