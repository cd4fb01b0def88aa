// Counts what is typed into a field by a carrier's own rule (characters, UTF-8 bytes, UTF-16 units) against its limit.

const bytes = new TextEncoder();
const NEAR = 0.9;
export const RECOUNT = "recount";

export function measure(text, unit) {
  if (unit === "bytes") return bytes.encode(text).length;
  return unit === "units" ? text.length : [...text].length;
}

export function init(output) {
  const field = document.getElementById(output.dataset.for);
  if (!field) return;
  const format = new Intl.NumberFormat(document.documentElement.lang || undefined);
  // What stands there came from the server, which counts what would really be sent.
  const isTold = output.textContent.trim() !== "";
  const show = () => {
    const { unit, pattern } = output.dataset;
    const limit = Number(output.dataset.limit);
    if (!limit) return;
    // A carrier counts more than the words: the link below them, marks that it escapes.
    const words = pattern === undefined ? field.value : field.value.normalize("NFC").trim();
    const used = measure(words, unit) + Number(output.dataset.extra ?? 0);
    const shown = pattern ?? `{used} / ${format.format(limit)}`;
    output.textContent = shown.replace("{used}", format.format(used));
    output.toggleAttribute("data-over", used > limit);
    output.toggleAttribute("data-near", used <= limit && used >= limit * NEAR);
  };
  field.addEventListener("input", show);
  output.addEventListener(RECOUNT, show);
  if (!isTold) show();
}
