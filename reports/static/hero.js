// Cuts the case under the headline between the original, left, and the fill that is chosen.
(() => {
  "use strict";
  const { all, element } = report;

  all("[data-hero]").forEach(hero => {
    const reference = hero.dataset.hero;
    const range = element("input", { type: "range", value: 50, oninput: cut });

    function cut() {
      hero.style.setProperty("--split", range.value + "%");
      range.setAttribute("aria-valuetext", `${range.value} % ${reference}`);
    }

    function follow(event) {
      const box = event.buttons === 1 && event.target.closest(".cut")?.getBoundingClientRect();
      if (!box) return;
      range.value = 100 * (event.clientX - box.left) / box.width;
      cut();
    }

    all(".plain", hero).forEach(each => each.remove());
    all("img", hero).forEach(each => { each.draggable = false; });
    hero.append(element("label", { className: "range" }, [reference + " | fill", range]));
    hero.classList.add("live");
    hero.onpointerdown = hero.onpointermove = follow;
    cut();
  });
})();
