// Dots of cases: other methods, the pictures of a case, keys from dot to dot, a choice by dragging.
(function () {
  "use strict";

  var element = report.element;
  var data = report.data("dots-data");
  if (!data) return;
  var section = document.getElementById("dots").closest("section");
  var versus = section.querySelector(".versus"), along = section.querySelector(".along");
  var pair = data.pair.slice();
  var GROUPS = [[versus, "pair"], [along, "a"], [along, "b"]];

  function drawn(tag, attributes, text) {
    var node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    Object.keys(attributes).forEach(function (name) { node.setAttribute(name, attributes[name]); });
    node.textContent = text || "";
    return node;
  }

  function number(value) { return value === null ? "not measured" : value.toFixed(data.decimals); }

  function at(scale, value) {
    var of = scale.log ? Math.log : Number;
    var part = (of(value) - of(scale.low)) / (of(scale.high) - of(scale.low));
    return Math.round(10 * (scale.start + part * (scale.end - scale.start))) / 10;
  }

  function path(points, joint, end) {
    return points.map(function (p, i) { return (i && joint || "M") + p[0] + " " + p[1] + end; }).join("");
  }

  // -- other methods ------------------------------------------------------------------------------

  // Makes an axis hold the values of both methods, with round numbers on it.
  function fit(scale, other, svg, up) {
    var known = data.values.flatMap(function (row) {
      return pair.map(function (m) { return row[m]; });
    }).filter(function (value) { return value !== null; });
    var low = Math.min.apply(null, known), high = Math.max.apply(null, known);
    var room = 0.04 * (high - low) || 0.01 * (Math.abs(high) || 1);
    scale.low = low - room;
    scale.high = high + room;
    var power = Math.pow(10, Math.floor(Math.log10((scale.high - scale.low) / 5)));
    var step = power * [1, 2, 5, 10].find(function (m) { return (scale.high - scale.low) / (m * power) <= 6; });
    var decimals = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    var group = svg.querySelector(up ? ".up" : ".across");
    group.replaceChildren();
    for (var i = Math.ceil(scale.low / step); i * step <= scale.high; i++) {
      var place = at(scale, i * step), ends = [[place, other.start], [place, other.end]];
      if (up) ends.forEach(function (end) { end.reverse(); });
      group.append(
        drawn("path", { "class": "grid", d: path(ends, "L", "") }),
        drawn("text", up ? { x: other.start - 6, y: place + 4, "text-anchor": "end" }
          : { x: place, y: other.start + 16, "text-anchor": "middle" },
        (i * step).toFixed(decimals).replace("-", "\u2212")));
    }
  }

  function places(group, row) {
    var values = data.values[row], a = values[pair[0]], b = values[pair[1]];
    var x = group === "pair" ? a : data.shares[row], y = group === "a" ? a : b;
    if (x === null || y === null) return null;
    return [at(data.scales[group === "pair" ? 0 : 2], x), at(data.scales[1], y)];
  }

  function words(row) {
    return data.cases[row].name + ": " + pair.map(function (m) {
      return data.methods[m] + " " + number(data.values[row][m]);
    }).join(", ");
  }

  function draw() {
    GROUPS.forEach(function (each) {
      var group = each[0].querySelector(".cases." + each[1]), rest = [];
      group.querySelectorAll("a").forEach(function (link, row) {
        var place = places(each[1], row), method = pair[each[1] === "a" ? 0 : 1];
        link.toggleAttribute("display", false);
        if (!place) return link.setAttribute("display", "none");
        link.firstElementChild.textContent = words(row);
        link.setAttribute("href", "../cases/" + data.cases[row].page + ".html?b=" + (method + 1));
        link.lastElementChild.setAttribute("cx", place[0]);
        link.lastElementChild.setAttribute("cy", place[1]);
      });
      for (var row = data.cases.length; row < data.values.length; row++) {
        rest.push(places(each[1], row));
      }
      group.querySelector(".faint").setAttribute("d", path(rest.filter(Boolean), "", "h0"));
    });
  }

  function write() {
    var titles = pair.map(function (m) { return data.methods[m]; });
    var counts = [0, 0];
    data.values.forEach(function (row) {
      var a = row[pair[0]], b = row[pair[1]];
      if (a !== null && b !== null && a !== b) counts[b > a ? 0 : 1]++;
    });
    var sides = data.higher ? [titles[1], titles[0]] : titles;
    versus.querySelectorAll(".side").forEach(function (text, i) {
      text.textContent = sides[i] + " better: " + counts[i];
    });
    versus.querySelectorAll(":scope > text:not(.side)").forEach(function (text, i) {
      text.textContent = data.name + " of " + titles[i];
    });
    versus.setAttribute("aria-label", data.name + " of " + titles.join(" (across) and ") + " (up)");
    along.setAttribute("aria-label", data.name + " of " + titles.join(" and ") + " against the hole");
    ["a", "b"].forEach(function (kind, i) {
      along.querySelector(".row." + kind).textContent = titles[i];
      along.querySelector(".means." + kind).setAttribute("d", path(data.means[pair[i]].map(function (p) {
        return [at(data.scales[2], p[0]), at(data.scales[1], p[1])];
      }), "L", ""));
    });
  }

  function change() {
    fit(data.scales[0], data.scales[1], versus, false);
    fit(data.scales[1], data.scales[0], versus, true);
    fit(data.scales[1], data.scales[2], along, true);
    draw();
    write();
  }

  var choosers = ["Across", "Up"].map(function (label, i) {
    var select = element("select", {}, data.methods.map(function (title, m) {
      return element("option", { value: m, textContent: title, selected: m === pair[i] });
    }));
    select.addEventListener("change", function () { pair[i] = +select.value; change(); });
    return element("label", {}, [label + " ", select]);
  });

  // -- pictures -----------------------------------------------------------------------------------

  var peek = element("div", { className: "peek", hidden: true });
  peek.setAttribute("aria-hidden", "true");

  function picture(layers, caption) {
    return element("figure", {}, [
      element("span", { className: "stack" }, layers.filter(Boolean).map(function (file) {
        return element("img", { src: "../" + file, alt: "" });
      })), element("figcaption", { textContent: caption })]);
  }

  function show(link, row) {
    var found = data.cases[row], box = link.getBoundingClientRect();
    peek.replaceChildren(
      element("p", { textContent: found.name }),
      picture(found.hole, "hole"), ...pair.map(function (m) {
        return picture([found.original, found.fills[m]], data.methods[m] + " " + number(data.values[row][m]));
      }));
    peek.hidden = false;
    var room = document.documentElement.clientWidth - peek.offsetWidth - 8;
    var above = box.top - peek.offsetHeight - 10;
    peek.style.left = Math.max(8, Math.min(room, box.left - peek.offsetWidth / 2)) + "px";
    peek.style.top = (above > 60 ? above : box.bottom + 10) + "px";
  }

  function hide() { peek.hidden = true; }

  // -- from dot to dot by keys, and a choice by dragging ------------------------------------------

  var status = element("span", { className: "small" });
  status.setAttribute("role", "status");
  var clear = element("button", { type: "button", textContent: "Show all cases", hidden: true });

  function choose(rows) {
    clear.hidden = !rows;
    status.textContent = rows ? rows.length + " of " + data.cases.length
      + " cases chosen; the list below shows those on this page. " : "";
    section.querySelectorAll("g.cases a").forEach(function (link) {
      link.classList.toggle("out", !!rows && rows.indexOf(+link.dataset.row) < 0);
    });
    document.dispatchEvent(new CustomEvent("choose-cases", {
      detail: rows && rows.map(function (row) { return data.cases[row].page; })
    }));
  }
  clear.addEventListener("click", function () { choose(null); });

  function walk(links, link, step) {
    var shown = links.filter(function (each) { return !each.hasAttribute("display"); });
    shown.sort(function (one, other) {
      return one.lastElementChild.cx.baseVal.value - other.lastElementChild.cx.baseVal.value;
    });
    var next = shown[shown.indexOf(link) + step];
    if (next) next.focus();
  }

  function ready(svg) {
    var links = Array.from(svg.querySelectorAll("g.cases a"));
    links.forEach(function (link, i) {
      var row = link.dataset.row = i % data.cases.length;
      link.setAttribute("tabindex", i ? -1 : 0);
      link.addEventListener("pointerenter", function () { show(link, row); });
      link.addEventListener("pointerleave", hide);
      link.addEventListener("blur", hide);
      link.addEventListener("focus", function () {
        links.forEach(function (each) { each.setAttribute("tabindex", each === link ? 0 : -1); });
        show(link, row);
      });
      link.addEventListener("keydown", function (event) {
        var step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
        if (event.key === "Escape") hide();
        if (!step) return;
        event.preventDefault();
        walk(links, link, step);
      });
    });
    brush(svg, links);
  }

  function brush(svg, links) {
    var from = null, box = drawn("rect", { "class": "brush" });
    function point(event) {
      return new DOMPoint(event.clientX, event.clientY).matrixTransform(svg.getScreenCTM().inverse());
    }
    svg.addEventListener("dragstart", function (event) { event.preventDefault(); });
    svg.addEventListener("pointerdown", function (event) {
      if (event.button || event.pointerType === "touch" || event.target.closest("a")) return;
      from = point(event);
      svg.setPointerCapture(event.pointerId);
    });
    svg.addEventListener("pointermove", function (event) {
      if (!from) return;
      var to = point(event);
      var sides = { x: Math.min(from.x, to.x), y: Math.min(from.y, to.y),
        width: Math.abs(to.x - from.x), height: Math.abs(to.y - from.y) };
      Object.keys(sides).forEach(function (name) { box.setAttribute(name, sides[name]); });
      svg.append(box);
    });
    svg.addEventListener("pointerup", function () {
      if (!from) return;
      from = null;
      var edge = box.isConnected && box.getBoundingClientRect();
      box.remove();
      if (!edge || edge.width + edge.height < 8) return;
      var rows = new Set();
      links.forEach(function (link) {
        var dot = link.getBoundingClientRect();
        var x = dot.left + dot.width / 2, y = dot.top + dot.height / 2;
        if (dot.width && edge.left <= x && x <= edge.right && edge.top <= y && y <= edge.bottom) {
          rows.add(+link.dataset.row);
        }
      });
      choose(Array.from(rows));
    });
    svg.addEventListener("pointercancel", function () { from = null; box.remove(); });
  }

  section.querySelector(".plots").before(
    element("div", { className: "tools choosers" }, choosers),
    element("p", { className: "small", textContent: "Point at a dot for its pictures; drag over dots to choose cases for the list below. From dot to dot: arrow keys." }),
    element("p", { className: "chosen" }, [status, clear]));
  section.append(peek);
  window.addEventListener("scroll", hide, { passive: true });
  ready(versus);
  ready(along);
  draw();
})();
