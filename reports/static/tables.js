// Sorts tables, chooses what they show, copies them and other texts.
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
      var words = Array.from(header.childNodes).filter(function (node) {
        return node.className !== "aim";
      });
      var button = element("button", { type: "button" });
      header.prepend(button);
      button.append.apply(button, words);
      button.addEventListener("click", function () {
        // The best first: the highest or the lowest, by what the column holds.
        var now = header.getAttribute("aria-sort");
        var up = now ? now === "descending" : header.dataset.sort !== "high";
        headers.forEach(function (other) { other.removeAttribute("aria-sort"); });
        header.setAttribute("aria-sort", up ? "ascending" : "descending");
        order(body, header.cellIndex, up ? 1 : -1);
      });
    });
  }

  // The text of a cell as it is displayed.
  function text(cell) {
    var walker = document.createTreeWalker(
      cell.querySelector(".method") || cell, NodeFilter.SHOW_TEXT
    );
    var found = "";
    while (walker.nextNode()) {
      var words = walker.currentNode.data, parent = walker.currentNode.parentElement;
      if (!parent.checkVisibility() || parent.closest(".hidden, .about")) continue;
      found += parent.className === "unit" ? "(" + words + ")" : words;
    }
    return found.replace(/\s+/g, " ").trim();
  }

  var TEX = {
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
    "<": "$<$", ">": "$>$", "|": "$|$", "−": "$-$", "–": "--", "×": "$\\times$",
    "↑": "$\\uparrow$", "↓": "$\\downarrow$", "∞": "$\\infty$"
  };
  // By format: a cell, one of the best in its column, and the lines of head and groups of rows.
  var FORMATS = {
    CSV: {
      cell: function (words) {
        words = words.replace(/−/g, "-");
        return /[",\n]/.test(words) ? '"' + words.replace(/"/g, '""') + '"' : words;
      },
      best: function (words) { return words; },
      lines: function (groups) {
        return groups.flat().map(function (cells) { return cells.join(","); });
      }
    },
    LaTeX: {
      cell: function (words) {
        return words.replace(/[\\&%$#_{}~^<>|−–×↑↓∞]/g, function (c) { return TEX[c] || "\\" + c; });
      },
      best: function (words) { return "\\textbf{" + words + "}"; },
      lines: function (groups, sides) {
        var lines = ["% needs \\usepackage{booktabs}"];
        lines.push("\\begin{tabular}{" + sides.join("") + "}", "\\toprule");
        groups.forEach(function (rows, index) {
          if (index) lines.push("\\midrule");
          rows.forEach(function (cells) { lines.push("{}" + cells.join(" & ") + " \\\\"); });
        });
        return lines.concat("\\bottomrule", "\\end{tabular}");
      }
    },
    Markdown: {
      cell: function (words) { return words.replace(/[\\`*_[\]<>|]/g, "\\$&"); },
      best: function (words) { return "**" + words + "**"; },
      lines: function (groups, sides) {
        var rows = groups.flat();
        rows.splice(1, 0, sides.map(function (side) { return side === "r" ? "--:" : ":--"; }));
        return rows.map(function (cells) { return "| " + cells.join(" | ") + " |"; });
      }
    }
  };

  // What of a table is displayed, in a format; rows that hold one text for all columns are not.
  function written(table, name) {
    var format = FORMATS[name], heads = Array.from(table.tHead.rows[0].cells);
    var sides = heads.filter(function (head) { return !head.hidden; })
      .map(function (head) { return head.matches(".num") ? "r" : "l"; });
    var groups = [table.tHead].concat(Array.from(table.tBodies)).map(function (part) {
      return Array.from(part.rows).filter(function (row) {
        return row.cells.length === heads.length && row.checkVisibility();
      }).map(function (row) {
        return Array.from(row.cells).filter(function (cell) { return !cell.hidden; })
          .map(function (cell) {
            var words = format.cell(text(cell));
            return cell.querySelector("strong") ? format.best(words) : words;
          });
      });
    });
    groups = groups.filter(function (rows) { return rows.length; });
    return format.lines(groups, sides).join("\n") + "\n";
  }

  // The tools of a table: which columns and rows it shows, and copies of it.
  function tools(sheet) {
    var table = sheet.querySelector("table"), place = sheet.querySelector(".tools");
    var heads = Array.from(table.tHead.rows[0].cells);
    var choices = heads.filter(function (head) { return !head.matches(".place + th"); });
    var rows = Array.from(table.querySelectorAll("tbody tr:not(.group)"));
    place.append(
      report.checks("Columns", choices.map(text), function (index, on) {
        var column = choices[index].cellIndex;
        Array.from(table.rows).forEach(function (row) {
          if (row.cells.length === heads.length) row.cells[column].hidden = !on;
        });
      }),
      report.checks("Methods", rows.map(function (row) {
        return text(row.querySelector("th"));
      }), function (index, on) { rows[index].hidden = !on; }),
      element("span", { className: "copies" }, ["Copy as "].concat(
        Object.keys(FORMATS).map(function (name) {
          var button = element("button", { type: "button", textContent: name });
          button.addEventListener("click", function () { copy(button, written(table, name)); });
          return button;
        })
      ))
    );
  }

  document.querySelectorAll("table[data-sortable]").forEach(sortable);
  document.querySelectorAll(".sheet").forEach(tools);
})();
