// Sets the theme before the first paint, so that no page flashes in the wrong colours.
(function () {
  var root = document.documentElement;
  var chosen = null;
  try {
    chosen = localStorage.getItem("servitwin.appearance");
  } catch {
    chosen = null;
  }
  var dark = window.matchMedia("(prefers-color-scheme: dark)").matches;
  var appearance = chosen || (dark ? "dark" : "light");
  root.setAttribute("data-ix-color-schema", appearance === "dark" ? "dark" : "light");
  root.setAttribute("data-appearance", appearance);
})();
