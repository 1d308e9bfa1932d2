// Adds comfort to pages that are complete without it: a slider between two pictures, sorting.
(function () {
  "use strict";

  function element(tag, properties, children) {
    var node = Object.assign(document.createElement(tag), properties);
    (children || []).forEach(function (child) { node.append(child); });
    return node;
  }

  // The pictures on offer are the figures of the page that carry their name and file.
  function offered() {
    return Array.from(document.querySelectorAll("figure[data-src]")).map(function (figure) {
      return { name: figure.dataset.name, src: figure.dataset.src };
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

  function compare(box) {
    var pictures = offered();
    var shown = box.querySelectorAll("img");
    if (shown.length !== 2 || pictures.length < 2) return;
    var start = Array.from(shown).map(function (image) {
      return pictures.findIndex(function (p) { return p.src === image.getAttribute("src"); });
    });
    var stage = element("div", { className: "stage" }, Array.from(shown));
    var range = element("input", { type: "range", min: 0, max: 100, step: 1, value: 50 });
    var left = chooser("Left", pictures, start[0], update);
    var right = chooser("Right", pictures, start[1], update);

    function update() {
      [left, right].forEach(function (side, index) {
        var picture = pictures[side.select.selectedIndex];
        if (shown[index].getAttribute("src") !== picture.src) shown[index].src = picture.src;
        shown[index].alt = picture.name;
        shown[index].draggable = false;
      });
      stage.style.setProperty("--split", range.value + "%");
      var names = [left, right].map(function (s) { return pictures[s.select.selectedIndex].name; });
      range.setAttribute("aria-valuetext", range.value + " % " + names[0] + ", rest " + names[1]);
    }
    function follow(event) {
      var frame = stage.getBoundingClientRect();
      range.value = Math.round(100 * (event.clientX - frame.left) / frame.width);
      update();
    }
    stage.addEventListener("pointerdown", function (event) {
      stage.setPointerCapture(event.pointerId);
      follow(event);
    });
    stage.addEventListener("pointermove", function (event) {
      if (event.buttons) follow(event);
    });
    range.addEventListener("input", update);
    var controls = element("div", { className: "controls" }, [
      element("label", {}, ["Split position", range]), left.label, right.label
    ]);
    box.replaceChildren(stage, controls);
    update();
  }

  function order(body, column, direction) {
    function key(row) {
      var text = row.cells[column].dataset.value;
      return text === "inf" ? Infinity : text ? Number(text) : NaN;
    }
    Array.from(body.rows).sort(function (a, b) {
      var x = key(a), y = key(b);
      if (isNaN(x) || isNaN(y)) return isNaN(x) - isNaN(y);
      return x === y ? 0 : (x < y ? -1 : 1) * direction;
    }).forEach(function (row) { body.append(row); });
  }

  function sortable(table) {
    var body = table.querySelector("tbody.ranked");
    if (!body) return;
    var headers = Array.from(table.querySelectorAll("th[data-sort]"));
    headers.forEach(function (header) {
      var button = element("button", { type: "button" }, Array.from(header.childNodes));
      header.replaceChildren(button);
      button.addEventListener("click", function () {
        var up = header.getAttribute("aria-sort") !== "ascending";
        headers.forEach(function (other) { other.removeAttribute("aria-sort"); });
        header.setAttribute("aria-sort", up ? "ascending" : "descending");
        order(body, header.cellIndex, up ? 1 : -1);
      });
    });
  }

  document.querySelectorAll("[data-compare]").forEach(compare);
  document.querySelectorAll("table[data-sortable]").forEach(sortable);
})();
