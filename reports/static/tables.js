// Sorts tables.
(function () {
  "use strict";
  var element = report.element;

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

  document.querySelectorAll("table[data-sortable]").forEach(sortable);
})();
