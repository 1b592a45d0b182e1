// Runs before the page is drawn, so that it never flashes in the wrong colours.
const saved = localStorage.getItem("theme");
if (saved === "light" || saved === "dark") document.documentElement.dataset.theme = saved;
