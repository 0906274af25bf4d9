// The review of a plan: the read lines come into view, and one key presses a button when nobody is typing.

const printed = document.getElementById("printed");
const here = printed?.querySelector(".here");
if (here) printed.scrollTop = here.offsetTop - printed.offsetTop - printed.clientHeight / 2;
document.querySelector("[data-first]")?.focus({ preventScroll: true });
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.target.closest("input, select, textarea")) return;
  const button = document.querySelector(`[data-key-press="${CSS.escape(event.key.toLowerCase())}"]`);
  if (button) { event.preventDefault(); button.click(); }
});
