// Binds [data-module~="name"] to its ES module, once per element, also in parts of the page swapped in later.

const modules = {
  autosubmit: () => import("./autosubmit.js"),
  board: () => import("./board.js"),
  confirm: () => import("./confirm.js"),
  copy: () => import("./copy.js"),
  counter: () => import("./counter.js"),
  flash: () => import("./flash.js"),
  live: () => import("./live.js"),
  menu: () => import("./menu.js"),
  palette: () => import("./palette.js"),
  theme: () => import("./theme.js"),
  tray: () => import("./tray.js"),
  upload: () => import("./upload.js"),
};

const bound = new WeakMap();

function moduleOf(name) {
  // A page's own module need not be listed: it lives beside the others under its name.
  const own = /^[a-z][a-z0-9-]*$/.test(name) ? () => import(`./${name}.js`) : null;
  return modules[name] ?? own;
}

async function bind(element, name) {
  const done = bound.get(element) ?? bound.set(element, new Set()).get(element);
  const load = moduleOf(name);
  if (done.has(name) || !load) return;
  done.add(name);
  const { init } = await load();
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

document.documentElement.dataset.scripts = "";
start().then(() => {
  document.documentElement.dataset.scripts = "ready";
});
