// The frame: theme, menus, dialogs, toasts, keys, selection of rows, charts on demand.
// Everything is delegated from the document, so that parts which HTMX brings need no start-up.
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const root = document.documentElement;
const text = JSON.parse($("#ui-text")?.textContent || "{}");

// --- Theme ---
function setTheme(theme) {
  root.setAttribute("data-bs-theme", theme);
  localStorage.setItem("theme", theme);
  document.dispatchEvent(new CustomEvent("theme"));
}

// --- Clicks ---
document.addEventListener("click", (event) => {
  const at = (selector) => event.target.closest(selector);
  if (at("[data-theme-switch]")) setTheme(root.getAttribute("data-bs-theme") === "dark" ? "light" : "dark");
  const burger = at("[data-side]");
  const side = $("#side");
  if (burger) {
    const open = side.classList.toggle("open");
    burger.setAttribute("aria-expanded", open);
    if (open) $("a", side)?.focus();
  } else if (side?.classList.contains("open") && !at("#side")) closeSide();
  const opener = at("[data-dialog]");
  if (opener) openDialog(opener);
  if (at("[data-close]")) at("dialog")?.close();
  if (event.target.tagName === "DIALOG") event.target.close(); // the backdrop
  $$("details.menu[open]").forEach((menu) => menu.contains(event.target) || menu.removeAttribute("open"));
  if (at("[data-dismiss]")) at(".note").remove();
  if (at("[data-copy]")) copy(at("[data-copy]"));
  if (at("[data-insert]")) insert(at("[data-insert]"));
  if (at("[aria-disabled=true]")) event.preventDefault();
  if (at("[data-all-matching]")) selectAllMatching(at("form"));
});

function closeSide() {
  $("#side").classList.remove("open");
  $("[data-side]").setAttribute("aria-expanded", false);
}

function openDialog(opener) {
  const dialog = document.getElementById(opener.dataset.dialog);
  const form = $("form", dialog);
  if (opener.dataset.action && form) {
    form.action = opener.dataset.action;
    for (const title of dialog.querySelectorAll("[data-title]")) title.textContent = opener.dataset.label;
    const said = $("[data-said]", dialog);
    if (said) said.textContent = opener.dataset.text;
  }
  dialog.showModal();
}

// Where the browser gives no clipboard (plain HTTP), the text is selected for the keys to copy.
function copy(button) {
  const source = document.getElementById(button.dataset.copy);
  if (navigator.clipboard) {
    navigator.clipboard.writeText(source.textContent).then(() => toast(button.dataset.done, "success"));
  } else {
    getSelection().selectAllChildren(source);
  }
}

// Put a word where the cursor stands in a field, as if it had been typed.
function insert(button) {
  const field = document.getElementById(button.dataset.insert);
  const apart = /[\w)]$/.test(field.value.slice(0, field.selectionStart)) ? " " : "";
  field.setRangeText(apart + button.dataset.text, field.selectionStart, field.selectionEnd, "end");
  field.focus();
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

// --- Rows ---
document.addEventListener("change", (event) => {
  const box = event.target;
  if (box.matches("[data-tick-all]")) {
    $$("input[name=pk]", box.form).forEach((row) => (row.checked = box.checked));
  }
  if (box.matches("[data-tick-all], input[name=pk]")) countTicked(box.form);
  if (box.matches("[data-autosubmit]")) box.form.requestSubmit();
});

function countTicked(form) {
  const ticked = $$("input[name=pk]:checked", form).length;
  const rows = $$("input[name=pk]", form).length;
  const bar = $(".bulkbar", form);
  if (!bar) return;
  bar.hidden = ticked === 0;
  $("[data-count]", bar).textContent = text.ticked.replace("{count}", ticked);
  const all = $("[data-all-matching]", bar);
  if (all) all.hidden = ticked < rows;
  $("input[name=all]", bar).value = "0";
}

function selectAllMatching(form) {
  $("input[name=all]", form).value = "1";
  $("[data-count]", form).textContent = $("[data-all-matching]", form).dataset.done;
  $("[data-all-matching]", form).hidden = true;
}

// --- Keys ---
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input, textarea, select, [contenteditable], dialog");
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    event.preventDefault();
    $("#palette")?.showModal();
    return;
  }
  if (event.key === "Escape") {
    $$("details.menu[open]").forEach((menu) => { menu.removeAttribute("open"); $("summary", menu).focus(); });
    if ($("#side.open")) closeSide();
  }
  if (event.target.matches("[data-grid] input.form-control")) moveInGrid(event);
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "/") {
    const box = $("#list-search") || $("[data-dialog=palette]");
    if (box) { event.preventDefault(); box.tagName === "INPUT" ? box.focus() : box.click(); }
  }
  if (event.key === "j" || event.key === "k") moveRow(event.key === "j" ? 1 : -1);
});

// As in a spreadsheet: Enter and the arrows go to the same column of the next row.
function moveInGrid(event) {
  const step = { ArrowUp: -1, ArrowDown: 1, Enter: event.shiftKey ? -1 : 1 }[event.key];
  if (!step || event.isComposing || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  const cell = event.target.closest("td");
  const rows = [...cell.closest("tbody").rows];
  const row = rows[rows.indexOf(cell.parentElement) + step];
  if (row) $(".form-control", row.cells[cell.cellIndex])?.select();
}

function moveRow(step) {
  const links = $$(".row-link");
  if (!links.length) return;
  const at = links.indexOf(document.activeElement);
  links[Math.min(links.length - 1, Math.max(0, at + step))].focus();
}

// --- Parts that HTMX brings ---
const failed = (status) => status === 0 || status >= 400;
document.addEventListener("htmx:before:swap", (event) => {
  const status = event.detail?.ctx?.response?.raw?.status ?? event.detail?.ctx?.response?.status ?? 200;
  // A form with errors (422) is swapped; any other error must not replace what is on the page.
  if (failed(status) && status !== 422) {
    event.preventDefault();
    toast(status === 403 ? text.forbidden : text.failed, "error");
  }
});
document.addEventListener("htmx:error", () => toast(text.offline, "error"));
document.addEventListener("htmx:after:swap", (event) => {
  const tab = event.detail?.ctx?.sourceElement?.closest("[data-tab]");
  if (tab) {
    $("[data-tab][aria-current]")?.removeAttribute("aria-current");
    tab.setAttribute("aria-current", "page");
  }
  if ($("#job[data-result]")?.dataset.result === location.pathname) location.reload(); // the page shows it
  const dialog = $("dialog[data-auto]:not([open])");
  if (dialog && $("form", dialog)) dialog.showModal();
  start();
});

function toast(message, kind) {
  const box = $("#toasts");
  if (!box || !message) return;
  const note = document.createElement("div");
  note.className = `note ${kind}`;
  note.textContent = message;
  box.append(note);
  setTimeout(() => note.remove(), 6000);
}

// --- Charts: the library is fetched by the first page that has one ---
let charts;
function start() {
  if (!$("[data-chart]")) return;
  charts ??= load(document.body.dataset.echarts).then(() => load(document.body.dataset.charts));
  charts.then(() => window.drawCharts());
}
function load(source) {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    Object.assign(script, { src: source, onload: resolve, onerror: reject });
    document.head.append(script);
  });
}
$$("#toasts .note.success").forEach((note) => setTimeout(() => note.remove(), 6000));
start();
