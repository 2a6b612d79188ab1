// Rating by keyboard: a digit gives the focused partner its mark and goes on to the next one.
const EXTREMES = ["1", "5"]; // they need evidence, so the row stays
const rows = () => [...document.querySelectorAll(".rate-row")];
let waiting = ""; // the row whose mark was just given
const rowOf = (target) => target.closest?.(".rate-row");

function go(row, step) {
  const all = rows();
  all[all.findIndex((each) => each.id === row.id) + step]?.focus();
}

function give(row, mark) {
  const box = row.querySelector(`input[name=mark][value="${mark === "0" ? "" : mark}"]`);
  if (!box || box.matches(":disabled")) return;
  box.checked = true;
  box.dispatchEvent(new Event("change", { bubbles: true }));
  if (!EXTREMES.includes(mark)) go(row, 1);
}

document.addEventListener("change", (event) => {
  if (event.target.name === "mark") waiting = rowOf(event.target)?.id ?? "";
}, true);

document.addEventListener("keydown", (event) => {
  const row = rowOf(event.target);
  if (!row || event.altKey || event.metaKey) return;
  if (event.target.tagName === "TEXTAREA") {
    if (event.key === "Enter" && event.ctrlKey) go(row, 1); // leaving the field saves it
    if (event.key === "Escape") row.focus();
    return;
  }
  if (event.ctrlKey) return;
  if (/^[0-5]$/.test(event.key)) give(row, event.key);
  else if (event.key === "ArrowDown") go(row, 1);
  else if (event.key === "ArrowUp") go(row, -1);
  else return;
  event.preventDefault();
});

// What is missing is asked for where it is typed, unless the rater has gone on meanwhile.
document.addEventListener("htmx:after:settle", () => {
  const row = document.getElementById(waiting);
  if (!row?.matches("[data-error]")) return;
  waiting = "";
  const at = document.activeElement;
  if (at === row || at === document.body || row.contains(at)) row.querySelector("textarea").focus();
});

if (!document.activeElement || document.activeElement === document.body) rows().find((row) => !row.classList.contains("saved"))?.focus({ preventScroll: true });
