// Sorts tables, chooses what they show, copies them and other texts.
(() => {
  "use strict";
  const { all, element, checks, value } = report;

  // Copies a text and says so on the button. Where the page may not, the text is there to be taken.
  function copy(button, text) {
    const words = button.textContent;
    function done() {
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = words; }, 1500);
    }
    function selected() {
      const area = element("textarea", { value: text, readOnly: true, rows: 8, ariaLabel: "Text to copy" });
      button.after(area);
      area.select();
      if (!document.execCommand("copy")) return area.addEventListener("blur", () => area.remove());
      area.remove();
      button.focus();
      done();
    }
    if (navigator.clipboard) navigator.clipboard.writeText(text).then(done, selected);
    else selected();
  }

  document.addEventListener("click", ({ target }) => {
    const button = target.closest("[data-copy]");
    if (button && button.textContent !== "Copied") copy(button, button.dataset.copy);
  });

  function sortable(table) {
    const body = table.querySelector("tbody.ranked, tbody:not([class])");
    const headers = body ? all("th[data-sort]", table) : [];
    headers.forEach(header => {
      const words = [...header.childNodes].filter(node => node.className !== "aim");
      const button = element("button", { type: "button" }, words);
      header.prepend(button);
      button.onclick = () => {
        // The best first: the highest or the lowest, by what the column holds.
        const now = header.ariaSort;
        const up = now ? now === "descending" : header.dataset.sort !== "high";
        headers.forEach(other => { other.ariaSort = null; });
        header.ariaSort = up ? "ascending" : "descending";
        report.sort([...body.rows], row => value(row.cells[header.cellIndex]), up ? 1 : -1);
      };
    });
  }

  // The text of a cell as it is displayed.
  function text(cell) {
    const walker = document.createTreeWalker(cell.querySelector(".method") || cell, NodeFilter.SHOW_TEXT);
    let found = "";
    while (walker.nextNode()) {
      const { data, parentElement: parent } = walker.currentNode;
      if (!parent.checkVisibility() || parent.closest(".hidden, .about")) continue;
      found += parent.className === "unit" ? `(${data})` : data;
    }
    return found.replace(/\s+/g, " ").trim();
  }

  const TEX = {
    "\\": "\\textbackslash{}", "~": "\\textasciitilde{}", "^": "\\textasciicircum{}",
    "<": "$<$", ">": "$>$", "|": "$|$", "−": "$-$", "–": "--", "×": "$\\times$",
    "↑": "$\\uparrow$", "↓": "$\\downarrow$", "∞": "$\\infty$"
  };
  // By format: a cell, one of the best in its column, and the lines of head and groups of rows.
  const FORMATS = {
    CSV: {
      cell: words => /[",]/.test(words) ? `"${words.replace(/"/g, '""')}"` : words,
      best: words => words,
      lines: groups => groups.flat().map(cells => cells.join(",").replace(/−/g, "-"))
    },
    LaTeX: {
      cell: words => words.replace(/[\\&%$#_{}~^<>|−–×↑↓∞]/g, c => TEX[c] || "\\" + c),
      best: words => `\\textbf{${words}}`,
      lines: (groups, sides) => [
        "% needs \\usepackage{booktabs}", `\\begin{tabular}{${sides.join("")}}`, "\\toprule",
        ...groups.flatMap((rows, index) => [
          ...(index ? ["\\midrule"] : []), ...rows.map(cells => `{}${cells.join(" & ")} \\\\`)
        ]),
        "\\bottomrule", "\\end{tabular}"
      ]
    },
    Markdown: {
      cell: words => words.replace(/[\\`*_[\]<>|]/g, "\\$&"),
      best: words => `**${words}**`,
      lines: (groups, sides) => {
        const [head, ...rows] = groups.flat(), rule = sides.map(side => side === "r" ? "--:" : ":--");
        return [head, rule, ...rows].map(cells => `| ${cells.join(" | ")} |`);
      }
    }
  };

  // What of a table is displayed, in a format; rows that hold one text for all columns are not.
  function written(table, { cell, best, lines }) {
    const heads = table.tHead.rows[0].cells, shown = cells => [...cells].filter(each => !each.hidden);
    const sides = shown(heads).map(head => head.matches(".num") ? "r" : "l");
    const groups = [table.tHead, ...table.tBodies].map(part => [...part.rows]
      .filter(row => row.cells.length === heads.length && row.checkVisibility())
      .map(row => shown(row.cells).map(each => {
        const words = cell(text(each));
        return each.querySelector("strong") ? best(words) : words;
      })));
    return lines(groups.filter(rows => rows.length), sides).join("\n") + "\n";
  }

  // The tools of a table: which columns and rows it shows, and copies of it.
  function tools(sheet) {
    const table = sheet.querySelector("table"), heads = [...table.tHead.rows[0].cells];
    const choices = heads.filter(head => !head.matches(".place + th"));
    const rows = all("tbody tr:not(.group)", table);
    sheet.querySelector(".tools").append(
      checks("Columns", choices.map(text), (index, on) => [...table.rows].forEach(row => {
        if (row.cells.length === heads.length) row.cells[choices[index].cellIndex].hidden = !on;
      })),
      checks("Methods", rows.map(row => text(row.querySelector("th"))), (index, on) => {
        rows[index].hidden = !on;
      }),
      element("span", { className: "copies" }, ["Copy as ", ...Object.keys(FORMATS).map(name => {
        const button = element("button", { type: "button", textContent: name });
        button.onclick = () => copy(button, written(table, FORMATS[name]));
        return button;
      })]));
  }

  all("table[data-sortable]").forEach(sortable);
  all(".sheet").forEach(tools);
})();
