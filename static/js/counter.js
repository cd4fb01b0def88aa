// Counts what is typed into a field, in characters or in UTF-8 bytes, against a limit.

const bytes = new TextEncoder();

export function measure(text, unit) {
  return unit === "bytes" ? bytes.encode(text).length : [...text].length;
}

export function init(output) {
  const field = document.getElementById(output.dataset.for);
  const limit = Number(output.dataset.limit);
  if (!field || !limit) return;
  const show = () => {
    const used = measure(field.value, output.dataset.unit);
    output.textContent = `${used.toLocaleString()} / ${limit.toLocaleString()}`;
    output.toggleAttribute("data-over", used > limit);
  };
  field.addEventListener("input", show);
  show();
}
