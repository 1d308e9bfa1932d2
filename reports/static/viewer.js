// Compares two pictures of a case.
(function () {
  "use strict";
  var element = report.element, radios = report.radios;

  // The pictures on offer are the figures of the page that carry their name and file.
  function offered() {
    return Array.from(document.querySelectorAll("figure[data-src]")).map(function (figure) {
      var item = figure.closest("[id^=fill-]");
      return {
        name: figure.dataset.name, src: figure.dataset.src, fill: item && item.id.slice(5),
        // What a fill has in the hole lies on its photo.
        below: figure.querySelector("img").getAttribute("src")
      };
    });
  }

  function chooser(label, pictures, selected, changed) {
    var select = element("select", {}, pictures.map(function (picture, index) {
      return element("option", { value: index, textContent: picture.name });
    }));
    select.selectedIndex = selected;
    select.addEventListener("change", changed);
    return { select: select, label: element("label", {}, [label, select]) };
  }

  // Two panes of one size: one over the other, cut at the split, or side by side. They scroll
  // and zoom together.
  function compare(box) {
    var pictures = offered();
    var images = Array.from(box.querySelectorAll("figure")).map(function (figure) {
      return Array.from(figure.querySelectorAll("img")).pop();
    });
    if (images.length !== 2 || pictures.length < 2) return;
    var asked = new URLSearchParams(location.search).get("b");
    var start = images.map(function (image) {
      return pictures.findIndex(function (p) { return p.src === image.getAttribute("src"); });
    });
    var found = pictures.findIndex(function (p) { return asked && p.fill === asked; });
    if (found >= 0) start[1] = found;

    var below = images.map(function () { return element("img", { alt: "" }); });
    var panes = images.map(function (image, index) {
      var both = [below[index], image];
      both.forEach(function (each) { each.draggable = false; });
      var stack = element("div", { className: "stack" }, both);
      var pane = element("div", { className: "pane", tabIndex: index ? -1 : 0 }, [stack]);
      pane.setAttribute("role", "group");
      return pane;
    });
    var stage = element("div", { className: "stage over" }, panes);
    var range = element("input", { type: "range", min: 0, max: 100, step: 1, value: 50 });
    var sides = [
      chooser("A, left", pictures, start[0], update),
      chooser("B, right", pictures, start[1], update)
    ];
    var zoom = 0;

    function update() {
      var names = sides.map(function (side) { return pictures[side.select.selectedIndex].name; });
      images.forEach(function (image, index) {
        var picture = pictures[sides[index].select.selectedIndex];
        if (image.getAttribute("src") !== picture.src) image.src = picture.src;
        if (below[index].getAttribute("src") !== picture.below) below[index].src = picture.below;
        image.alt = picture.name;
        panes[index].setAttribute("aria-label", "AB"[index] + ": " + picture.name);
        panes[index].dataset.name = picture.name;
      });
      stage.style.setProperty("--split", range.value + "%");
      range.setAttribute("aria-valuetext", range.value + " % " + names[0] + ", rest " + names[1]);
      keep(pictures[sides[1].select.selectedIndex].fill);
    }

    // The next case opens with the same method as B.
    function keep(fill) {
      document.querySelectorAll(".steps a").forEach(function (link) {
        link.search = fill ? "?b=" + fill : "";
      });
    }

    function scale() {
      images.concat(below).forEach(function (image) {
        var wide = zoom ? image.naturalWidth * zoom + "px" : "";
        image.style.width = wide;
        image.classList.toggle("pixels", zoom > 1);
      });
    }

    function magnify(value) {
      var pane = panes[0];
      var x = (pane.scrollLeft + pane.clientWidth / 2) / pane.scrollWidth;
      var y = (pane.scrollTop + pane.clientHeight / 2) / pane.scrollHeight;
      zoom = value;
      scale();
      pane.scrollLeft = x * pane.scrollWidth - pane.clientWidth / 2;
      pane.scrollTop = y * pane.scrollHeight - pane.clientHeight / 2;
    }

    // The pane under the pointer or with the focus leads; the other's own events must not lead back.
    var leader = panes[0];
    panes.forEach(function (pane, index) {
      ["pointerover", "focus", "touchstart"].forEach(function (name) {
        pane.addEventListener(name, function () { leader = pane; }, { passive: true });
      });
      pane.addEventListener("scroll", function () {
        if (leader === pane) panes[1 - index].scrollTo(pane.scrollLeft, pane.scrollTop);
      });
    });
    images.concat(below).forEach(function (image) { image.addEventListener("load", scale); });

    // A drag moves the split; of a zoomed picture only near the line, elsewhere the picture.
    var panning = null;
    stage.addEventListener("pointerdown", function (event) {
      if (event.button || event.target.closest("input, select")) return;
      var frame = stage.getBoundingClientRect();
      var line = frame.left + frame.width * range.value / 100;
      var over = stage.classList.contains("over");
      var pan = !over || (zoom > 0 && Math.abs(event.clientX - line) > 24);
      panning = pan && {
        left: leader.scrollLeft + event.clientX, top: leader.scrollTop + event.clientY
      };
      if (event.pointerType !== "touch" || !pan) stage.setPointerCapture(event.pointerId);
      if (!pan) follow(event);
    });
    stage.addEventListener("pointermove", function (event) {
      if (!event.buttons || !stage.hasPointerCapture(event.pointerId)) return;
      if (!panning) return follow(event);
      leader.scrollTo(panning.left - event.clientX, panning.top - event.clientY);
    });
    function follow(event) {
      var frame = stage.getBoundingClientRect();
      range.value = Math.round(100 * (event.clientX - frame.left) / frame.width);
      update();
    }
    range.addEventListener("input", update);

    box.replaceChildren(
      stage,
      element("label", { className: "range" }, ["Split position", range]),
      element("div", { className: "controls" }, [sides[0].label, sides[1].label]),
      element("div", { className: "tools" }, [
        radios("Zoom", "zoom", [
          { words: "fit", value: 0 }, { words: "× 1", value: 1 }, { words: "× 2", value: 2 },
          { words: "× 4", value: 4 }
        ], magnify),
        radios("View", "layout", [
          { words: "slider", value: true }, { words: "side by side", value: false }
        ], function (over) {
          stage.classList.toggle("over", over);
          range.disabled = !over;
          panes[1].tabIndex = over ? -1 : 0;
        })
      ])
    );
    box.classList.add("live");
    update();
  }

  document.querySelectorAll("[data-compare]").forEach(compare);
})();
