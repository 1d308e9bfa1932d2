// Cuts the case under the headline between the original, left, and the fill that is chosen.
(function () {
  "use strict";
  document.querySelectorAll("[data-hero]").forEach(function (hero) {
    var range = report.element("input", { type: "range", min: 0, max: 100, value: 50 });

    function cut() {
      hero.style.setProperty("--split", range.value + "%");
      range.setAttribute("aria-valuetext", range.value + " % " + hero.dataset.hero);
    }

    function follow(event) {
      var frame = event.buttons === 1 && event.target.closest(".cut");
      if (!frame) return;
      var box = frame.getBoundingClientRect();
      range.value = 100 * (event.clientX - box.left) / box.width;
      cut();
    }

    hero.querySelectorAll(".plain").forEach(function (each) { each.remove(); });
    hero.querySelectorAll("img").forEach(function (each) { each.draggable = false; });
    hero.append(report.element("label", { className: "range" }, [hero.dataset.hero + " | fill", range]));
    hero.classList.add("live");
    ["pointerdown", "pointermove"].forEach(function (name) { hero.addEventListener(name, follow); });
    range.addEventListener("input", cut);
    cut();
  });
})();
