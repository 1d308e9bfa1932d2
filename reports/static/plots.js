// Dots of cases: any two methods, the pictures of a case, a choice of cases by dragging.
(function () {
  "use strict";

  var element = report.element, data = report.data("dots-data");
  if (!data) return;
  var section = document.getElementById("dots").parentNode, pair = data.pair, scales = data.scales;
  var versus = section.querySelector(".versus"), along = section.querySelector(".along");
  // Group of dots, axis across, and what it shows there and upwards, by the values of both.
  var GROUPS = [
    [versus.querySelector(".pair"), 0, function (both) { return both; }],
    [along.querySelector("g.a"), 2, function (both, share) { return [share, both[0]]; }],
    [along.querySelector("g.b"), 2, function (both, share) { return [share, both[1]]; }]
  ];

  function at(scale, value) {
    var of = scale.log ? Math.log : Number;
    var part = (of(value) - of(scale.low)) / (of(scale.high) - of(scale.low));
    return (scale.start + part * (scale.end - scale.start)).toFixed(1);
  }

  function both(values) { return pair.map(function (method) { return values[method]; }); }

  function titles() { return both(data.methods); }

  function said(row) {
    return both(data.values[row]).map(function (value, i) {
      return titles()[i] + " " + (value === null ? "not measured" : value.toFixed(data.decimals));
    });
  }

  // -- any two methods ----------------------------------------------------------------------------

  function dots() {
    GROUPS.forEach(function (each, number) {
      var links = each[0].querySelectorAll("a"), rest = "";
      data.values.forEach(function (values, row) {
        var place = each[2](both(values), data.shares[row]), link = links[row];
        var known = place[0] !== null && place[1] !== null;
        var x = known && at(scales[each[1]], place[0]), y = known && at(scales[1], place[1]);
        if (!link) return known && (rest += "M" + x + " " + y + "h0");
        link.row = row;
        link.setAttribute("display", known ? "inline" : "none");
        link.setAttribute("href", "../cases/" + data.cases[row].page + ".html?b=" + data.columns[pair[number === 1 ? 0 : 1]]);
        link.firstChild.textContent = data.cases[row].name + ": " + said(row).join(", ");
        link.lastChild.setAttribute("cx", x || 0);
        link.lastChild.setAttribute("cy", y || 0);
      });
      each[0].firstChild.setAttribute("d", rest);
    });
  }

  function words() {
    var names = titles(), better = [0, 0];
    data.values.map(both).forEach(function (v) {
      if (v[0] !== null && v[1] !== null && v[0] !== v[1]) better[v[1] > v[0] ? 0 : 1]++;
    });
    versus.querySelectorAll(".side").forEach(function (text, i) {
      text.textContent = names[data.higher ? 1 - i : i] + " better: " + better[i];
    });
    versus.querySelectorAll(".axis").forEach(function (text, i) { text.textContent = data.name + " of " + names[i]; });
    names.forEach(function (name, i) {
      along.querySelectorAll(".row")[i].textContent = name;
      along.querySelectorAll(".means")[i].setAttribute("d", data.means[pair[i]].map(function (point, j) {
        return (j ? "L" : "M") + at(scales[2], point[0]) + " " + at(scales[1], point[1]);
      }).join(""));
    });
  }

  function chooser(label, i) {
    var select = element("select", {}, data.methods.map(function (title, method) {
      return element("option", { value: method, textContent: title, selected: method === pair[i] });
    }));
    select.onchange = function () { pair[i] = +select.value; dots(); words(); };
    return element("label", {}, [label + " ", select]);
  }

  // -- pictures -----------------------------------------------------------------------------------

  var peek = element("div", { className: "peek", hidden: true, ariaHidden: "true" });

  function picture(layers, caption) {
    return element("figure", {}, [element("span", { className: "stack" }, layers.filter(Boolean).map(function (file) {
      return element("img", { src: "../" + file, alt: "" });
    })), element("figcaption", { textContent: caption })]);
  }

  function show(event) {
    var link = event.target.closest("g.cases a");
    peek.hidden = !link;
    if (!link) return;
    var found = data.cases[link.row], box = link.getBoundingClientRect(), fills = both(found.fills);
    peek.replaceChildren(element("p", { textContent: found.name }), picture(found.hole, "hole"));
    said(link.row).forEach(function (text, i) { peek.append(picture([found.original, fills[i]], text)); });
    var above = box.top - peek.offsetHeight - 10;
    peek.style.left = Math.max(8, Math.min(innerWidth - peek.offsetWidth - 24, box.left - peek.offsetWidth / 2)) + "px";
    peek.style.top = (above > 60 ? above : box.bottom + 10) + "px";
  }

  function hide() { peek.hidden = true; }

  // -- a choice by dragging, keys from dot to dot -------------------------------------------------

  var status = element("span", { className: "small", role: "status" });
  var clear = element("button", { type: "button", textContent: "Show all cases", hidden: true, onclick: function () { choose(null); } });

  function choose(rows) {
    clear.hidden = !rows;
    status.textContent = rows ? rows.length + " of " + data.cases.length + " cases chosen; the list below shows those of this page. " : "";
    section.querySelectorAll("g.cases a").forEach(function (link) {
      link.classList.toggle("out", !!rows && !rows.includes(link.row));
    });
    document.dispatchEvent(new CustomEvent("choose-cases", { detail: rows && rows.map(function (row) { return data.cases[row].page; }) }));
  }

  function ready(svg) {
    var links = Array.from(svg.querySelectorAll("g.cases a")), from = null;
    var box = document.createElementNS(svg.namespaceURI, "rect");
    box.setAttribute("class", "brush");
    if (links[0]) links[0].setAttribute("tabindex", 0);
    svg.onpointerover = show;
    svg.onpointerleave = hide;
    svg.addEventListener("focusin", show);
    svg.addEventListener("focusout", hide);

    // The dots between two places, from left to right.
    function between(one, other) {
      return links.filter(function (link) {
        return link.getAttribute("display") === "inline" && ["x", "y"].every(function (side) {
          var place = link.lastChild["c" + side].baseVal.value;
          return Math.min(one[side], other[side]) <= place && place <= Math.max(one[side], other[side]);
        });
      }).sort(function (a, b) { return a.lastChild.cx.baseVal.value - b.lastChild.cx.baseVal.value; });
    }

    svg.onkeydown = function (event) {
      var step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], link = event.target.closest("a");
      if (event.key === "Escape") hide();
      if (!step || !link) return;
      event.preventDefault();
      var order = between({ x: 0, y: 0 }, { x: 1e4, y: 1e4 });
      (order[order.indexOf(link) + step] || link).focus();
    };

    function point(event) { return new DOMPoint(event.x, event.y).matrixTransform(svg.getScreenCTM().inverse()); }
    svg.onpointerdown = function (event) {
      if (event.button || event.pointerType === "touch" || event.target.closest("a")) return;
      from = point(event);
      svg.setPointerCapture(event.pointerId);
    };
    svg.onpointermove = function (event) {
      if (!from) return;
      var to = point(event);
      ["x", "y"].forEach(function (side, i) {
        box.setAttribute(side, Math.min(from[side], to[side]));
        box.setAttribute(i ? "height" : "width", Math.abs(to[side] - from[side]));
      });
      svg.append(box);
    };
    svg.onpointerup = svg.onpointercancel = function (event) {
      var found = from && event.type === "pointerup" && box.isConnected && between(from, point(event));
      from = null;
      box.remove();
      if (found) choose(Array.from(new Set(found.map(function (link) { return link.row; }))));
    };
  }

  section.querySelector(".plots").before(
    element("div", { className: "tools" }, ["Across", "Up"].map(chooser)),
    element("p", { className: "small", textContent: "Point at a dot for its pictures; arrow keys go from dot to dot; drag over dots to choose cases for the list below." }),
    element("p", { className: "chosen" }, [status, clear]));
  section.append(peek);
  window.addEventListener("scroll", function () { show({ target: document.activeElement }); }, { passive: true });
  [versus, along].forEach(ready);
  dots();
})();
