// Filters and sorts the cases of a gallery, and keeps that in the page's address.
(function () {
  "use strict";
  var element = report.element;
  var MOST_LINKS = 60;

  function field(words, name, type) {
    var input = element("input", { name: name, type: type, autocomplete: "off" });
    if (type === "number") input.step = "any";
    return element("label", {}, [words + " ", input]);
  }

  function select(words, name, options) {
    return element("label", {}, [words + " ", element("select", { name: name },
      options.map(function (option, index) {
        return element("option", { textContent: option, value: index ? option : "" });
      })
    )]);
  }

  function gallery(section) {
    var table = section.querySelector("table.gallery"), body = table.tBodies[0];
    var rows = Array.from(body.rows), chosen = null, facts = {};
    report.data("cases-data").forEach(function (c) {
      facts[c[0]] = {
        page: c[0], photo: c[1], share: c[2], width: c[3], shape: c[4] || "not documented"
      };
    });
    var heads = Array.from(table.querySelectorAll("thead th[data-sort]"));
    var titles = heads.map(function (head) { return head.querySelector(".method").textContent; });
    var shapes = new Set(Object.values(facts).map(function (fact) { return fact.shape; }));

    function value(row, head) { return parseFloat(row.cells[head.cellIndex].dataset.value); }

    // What can be sorted by: the number of a row that is to be smallest in the first.
    var sorts = {
      "order of the list": rows.indexOf.bind(rows),
      "hole share": function (row) { return facts[row.dataset.case].share; },
      "hole width": function (row) { return facts[row.dataset.case].width; },
      "disagreement": function (row) {
        var found = heads.filter(function (head) { return !head.hidden && value(row, head); })
          .map(value.bind(null, row));
        return Math.min.apply(null, found) - Math.max.apply(null, found);
      }
    };
    heads.forEach(function (head, index) {
      var sign = head.dataset.sort === "high" ? -1 : 1;
      sorts["best of " + titles[index]] = function (row) { return sign * value(row, head); };
    });

    var menu = report.checks("Methods", titles, apply);
    var boxes = Array.from(menu.querySelectorAll("input"));
    var status = element("p", { className: "small", role: "status" });
    var form = element("form", { className: "tools filters" }, [
      field("Photo", "photo", "search"),
      field("Hole, %, from", "share-from", "number"), field("to", "share-to", "number"),
      field("Width, pixels, from", "width-from", "number"), field("to", "width-to", "number"),
      select("Shape", "shape", ["any"].concat(Array.from(shapes).sort())),
      select("Sort by", "sort", Object.keys(sorts)), field("reversed", "reversed", "checkbox"),
      element("button", { type: "reset", textContent: "Clear" }), menu
    ]);

    function matches(fact, wanted) {
      return (!chosen || chosen.indexOf(fact.page) >= 0) &&
        fact.photo.toLowerCase().indexOf((wanted.get("photo") || "").toLowerCase()) >= 0 &&
        (!wanted.has("shape") || fact.shape === wanted.get("shape")) &&
        ["share", "width"].every(function (name) {
          var from = wanted.get(name + "-from"), to = wanted.get(name + "-to");
          return (!from || fact[name] >= from) && (!to || fact[name] <= to);
        });
    }

    // Cases that match on other pages are named, so that none is missed.
    function say(shown, others) {
      var total = shown + others.length, here = shown + " of the " + rows.length + " cases of this page";
      status.textContent = total ? here + (others.length ? ", " + others.length + " on others:" : "")
        : "No case matches.";
      others.slice(0, MOST_LINKS).forEach(function (fact) {
        status.append(" ", element("a", {
          href: "../cases/" + fact.page + ".html"
        }, [element("bdi", { textContent: fact.photo })]));
      });
      if (others.length > MOST_LINKS) status.append(" and more");
    }

    function apply() {
      var wanted = new URLSearchParams();
      new FormData(form).forEach(function (text, name) { if (text) wanted.append(name, text); });
      var filtered = chosen || /photo|-|shape/.test(Array.from(wanted.keys()).join(""));
      boxes.forEach(function (box, index) {
        if (!box.checked) wanted.append("without", titles[index]);
        [table.tHead.rows[0]].concat(rows).forEach(function (row) {
          row.cells[heads[index].cellIndex].hidden = !box.checked;
        });
      });
      var key = sorts[wanted.get("sort") || "order of the list"];
      var sign = wanted.has("reversed") ? -1 : 1;
      rows.slice().sort(function (a, b) {
        var x = key(a), y = key(b);
        return isNaN(x) - isNaN(y) || sign * (x - y) || 0;
      }).forEach(function (row) { body.append(row); });
      var own = rows.map(function (row) { return row.dataset.case; });
      rows.forEach(function (row, index) { row.hidden = !matches(facts[own[index]], wanted); });
      say(rows.filter(function (row) { return !row.hidden; }).length,
        Object.values(facts).filter(function (fact) {
          return filtered && own.indexOf(fact.page) < 0 && matches(fact, wanted);
        }));
      var search = wanted.toString();
      history.replaceState(null, "", (search ? "?" + search : location.pathname) + location.hash);
      section.querySelectorAll(".pager a, .lists a").forEach(function (a) { a.search = search; });
    }

    var given = new URLSearchParams(location.search);
    Array.from(form.elements).forEach(function (each) {
      if (!given.get(each.name)) return;
      if (each.type === "checkbox") each.checked = true;
      else each.value = given.get(each.name);
      if (each.selectedIndex < 0) each.value = "";
    });
    boxes.forEach(function (box, index) {
      box.checked = given.getAll("without").indexOf(titles[index]) < 0;
    });
    form.addEventListener("input", apply);
    form.addEventListener("submit", function (event) { event.preventDefault(); });
    form.addEventListener("reset", function () {
      chosen = null;
      setTimeout(apply);
    });
    // A plot of the page chooses cases: names of their pages, or null for all.
    document.addEventListener("choose-cases", function (event) {
      chosen = event.detail;
      apply();
    });
    table.closest(".scroll").before(form, status);
    apply();
  }

  document.querySelectorAll(".gallery-views").forEach(gallery);
})();
