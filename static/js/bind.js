// Binds [data-module~="name"] to js/name.js, once per element, also in parts of the page swapped in later.

const bound = new WeakMap();

async function bind(element, name) {
  const done = bound.get(element) ?? bound.set(element, new Set()).get(element);
  if (done.has(name) || !/^[a-z][a-z0-9-]*$/.test(name)) return;
  done.add(name);
  const { init } = await import(`./${name}.js`);
  init(element);
}

export function start(root = document) {
  const found = [...root.querySelectorAll("[data-module]")];
  if (root instanceof Element && root.matches("[data-module]")) found.push(root);
  const waits = found.flatMap((element) =>
    element.dataset.module.split(/\s+/).filter(Boolean).map((name) => bind(element, name)),
  );
  return Promise.all(waits);
}
