// A select whose rows are found by typing. The select stays in the form and is what is sent.
(() => {
  let count = 0;

  function upgrade(box) {
    if (box.dataset.ready) return;
    box.dataset.ready = "1";
    const select = box.querySelector("select");
    const many = select.multiple;
    const input = box.querySelector("input");
    const list = box.querySelector("ul");
    const picked = box.querySelector(".picked");
    list.id = `lookup-${++count}`;
    input.setAttribute("aria-controls", list.id);
    let timer, last = 0, active = -1;

    const show = () => {
      if (many) {
        picked.replaceChildren(...[...select.selectedOptions].map((option) => {
          const chip = document.createElement("span");
          chip.className = "chip";
          chip.textContent = option.textContent;
          const remove = document.createElement("button");
          remove.type = "button";
          remove.textContent = "×";
          remove.setAttribute("aria-label", `${box.dataset.remove} ${option.textContent}`);
          remove.onclick = () => { option.remove(); show(); };
          chip.append(remove);
          return chip;
        }));
        input.value = "";
      } else input.value = select.selectedOptions[0]?.textContent.trim() ?? "";
    };
    const close = () => { list.hidden = true; active = -1; input.setAttribute("aria-expanded", "false"); };
    const choose = (id, label) => {
      const before = select.value;
      if (!many) select.replaceChildren();
      if (id) select.append(new Option(label, id, true, true));
      show();
      close();
      if (many || select.value !== before) select.dispatchEvent(new Event("change", { bubbles: true }));
    };
    const mark = (index) => {
      const items = [...list.children];
      active = (index + items.length) % items.length;
      items.forEach((item, at) => item.setAttribute("aria-selected", at === active));
      items[active]?.scrollIntoView({ block: "nearest" });
      input.setAttribute("aria-activedescendant", items[active]?.id ?? "");
    };
    const search = async () => {
      const turn = ++last;
      const answer = await fetch(`${box.dataset.url}?q=${encodeURIComponent(input.value)}`);
      if (turn !== last || !answer.ok) return;
      const { results } = await answer.json();
      list.replaceChildren(...results.map(({ id, text }, at) => {
        const item = document.createElement("li");
        item.id = `${list.id}-${at}`;
        item.setAttribute("role", "option");
        item.textContent = text;
        item.onmousedown = (event) => { event.preventDefault(); choose(id, text); };
        item.dataset.id = id;
        return item;
      }));
      if (!results.length) {
        const none = document.createElement("li");
        none.textContent = box.dataset.nothing;
        list.append(none);
      } else mark(0);
      list.hidden = false;
      input.setAttribute("aria-expanded", "true");
    };
    input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(search, 180); });
    input.addEventListener("focus", () => { input.select(); });
    input.addEventListener("blur", () => {
      close();
      if (!many && !input.value.trim()) choose("", "");
      else show();
    });
    input.addEventListener("keydown", (event) => {
      if (event.key === "ArrowDown" || event.key === "ArrowUp") {
        event.preventDefault();
        list.hidden ? search() : mark(active + (event.key === "ArrowDown" ? 1 : -1));
      }
      if (event.key === "Enter" && !list.hidden) {
        event.preventDefault();
        const item = list.children[active];
        if (item?.dataset.id) choose(item.dataset.id, item.textContent);
      }
      if (event.key === "Escape" && !list.hidden) { event.stopPropagation(); event.preventDefault(); close(); }
    });
    show();
  }

  const upgradeAll = () => document.querySelectorAll(".lookup").forEach(upgrade);
  document.addEventListener("htmx:after:swap", upgradeAll);
  upgradeAll();
})();
