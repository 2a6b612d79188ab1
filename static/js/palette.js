// Ctrl-K: partners, products, pages. Results come from /search/ and are walked with the arrow keys.
(() => {
  const dialog = document.getElementById("palette");
  if (!dialog) return;
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("ul");
  let timer, last = 0;

  const options = () => [...list.querySelectorAll("[role=option]")];
  const selected = () => list.querySelector("[aria-selected=true]");

  function select(option) {
    selected()?.setAttribute("aria-selected", "false");
    option?.setAttribute("aria-selected", "true");
    option?.scrollIntoView({ block: "nearest" });
    option ? input.setAttribute("aria-activedescendant", option.id) : input.removeAttribute("aria-activedescendant");
  }

  async function search() {
    const turn = ++last;
    const answer = await fetch(`${dialog.dataset.url}?q=${encodeURIComponent(input.value)}`, { headers: { "HX-Request": "true" } });
    if (turn !== last || !answer.ok) return; // a later key has overtaken this one
    list.innerHTML = await answer.text();
    select(options()[0]);
  }

  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 150); });
  dialog.addEventListener("toggle", () => { if (dialog.open) { input.select(); search(); } });
  input.addEventListener("keydown", (event) => {
    const all = options();
    const at = all.indexOf(selected());
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      select(all[(at + (event.key === "ArrowDown" ? 1 : -1) + all.length) % all.length]);
    }
    if (event.key === "Enter" && selected()) { event.preventDefault(); location.href = selected().dataset.href; }
  });
  list.addEventListener("click", (event) => {
    const option = event.target.closest("[role=option]");
    if (option) location.href = option.dataset.href;
  });
})();
