// Sorts tables; copies texts.
(function () {
  "use strict";
  var element = report.element;

  // Copies a text and says so on the button. Where the page may not, the text is there to be taken.
  function copy(button, text) {
    var words = button.textContent;
    function done() {
      button.textContent = "Copied";
      setTimeout(function () { button.textContent = words; }, 1500);
    }
    function selected() {
      var area = element("textarea", { value: text, readOnly: true, rows: 8 });
      area.setAttribute("aria-label", "Text to copy");
      button.after(area);
      area.select();
      if (!document.execCommand("copy")) {
        area.addEventListener("blur", function () { area.remove(); });
        return;
      }
      area.remove();
      button.focus();
      done();
    }
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, selected);
    else selected();
  }

  document.addEventListener("click", function (event) {
    var button = event.target.closest("[data-copy]");
    if (button && button.textContent !== "Copied") copy(button, button.dataset.copy);
  });

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
