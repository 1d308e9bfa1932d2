// Filters and sorts the cases of a gallery, and keeps that in the page's address.
(() => {
  "use strict";
  const { all, element, value } = report, MOST_LINKS = 60;

  const field = (words, name, type) => element("label", {}, [
    words + " ", element("input", { name, type, step: "any", autocomplete: "off" })
  ]);

  // The first option stands for no wish.
  const select = (words, name, options) => element("label", {}, [
    words + " ", element("select", { name }, options.map((textContent, index) =>
      element("option", { textContent, value: index ? textContent : "" })))
  ]);

  all(".gallery-views").forEach(section => {
    const table = section.querySelector("table.gallery"), rows = [...table.tBodies[0].rows];
    const facts = report.data("cases-data").map(([page, photo, share, width, shape]) =>
      ({ page, photo, share, width, shape: shape || "not documented" }));
    rows.forEach(row => {
      row.fact = facts.find(each => each.page === row.dataset.case);
      row.fact.here = true;
    });
    const heads = all("thead th[data-sort]", table);
    const titles = heads.map(head => head.querySelector(".method").textContent);
    let chosen = null;

    // What can be sorted by: the number of a row that is to be smallest in the first.
    const sorts = {
      "order of the list": row => rows.indexOf(row),
      "hole share": row => row.fact.share,
      "hole width": row => row.fact.width,
      "disagreement": row => {
        const found = heads.filter(head => !head.hidden)
          .map(head => value(row.cells[head.cellIndex])).filter(each => !isNaN(each));
        return Math.min(...found) - Math.max(...found);
      }
    };
    heads.forEach(({ cellIndex, dataset }, index) => {
      const sign = dataset.sort === "high" ? -1 : 1;
      sorts["best of " + titles[index]] = row => sign * value(row.cells[cellIndex]);
    });

    const menu = report.checks("Methods", titles, apply), boxes = all("input", menu);
    const status = element("p", { className: "small", role: "status" });
    const form = element("form", { className: "tools filters", oninput: apply }, [
      field("Photo", "photo", "search"),
      field("Hole, %, from", "share-from", "number"), field("to", "share-to", "number"),
      field("Width, pixels, from", "width-from", "number"), field("to", "width-to", "number"),
      select("Shape", "shape", ["any", ...new Set(facts.map(each => each.shape).sort())]),
      select("Sort by", "sort", Object.keys(sorts)), field("reversed", "reversed", "checkbox"),
      element("button", { type: "reset", textContent: "Clear" }), menu
    ]);

    const matches = (each, wanted) => (!chosen || chosen.includes(each.page)) &&
      each.photo.toLowerCase().includes((wanted.get("photo") || "").toLowerCase()) &&
      each.shape === (wanted.get("shape") ?? each.shape) &&
      ["share", "width"].every(name => {
        const from = wanted.get(name + "-from"), to = wanted.get(name + "-to");
        return (!from || each[name] >= from) && (!to || each[name] <= to);
      });

    // Cases that match on other pages are named, so that none is missed.
    function say(found) {
      const away = found.length < facts.length ? found.filter(each => !each.here) : [];
      const here = rows.filter(row => !row.hidden).length + ` of the ${rows.length} cases of this page`;
      status.textContent = !found.length ? "No case matches."
        : away.length ? `${here}, ${away.length} on others:` : here;
      away.slice(0, MOST_LINKS).forEach(({ page, photo }) => status.append(" ", element(
        "a", { href: `../cases/${page}.html` }, [element("bdi", { textContent: photo })])));
      if (away.length > MOST_LINKS) status.append(" and more");
    }

    function apply() {
      const wanted = new URLSearchParams();
      new FormData(form).forEach((text, name) => { if (text) wanted.append(name, text); });
      boxes.forEach(({ checked }, index) => {
        if (!checked) wanted.append("without", titles[index]);
        [...table.rows].forEach(row => {
          row.cells[heads[index].cellIndex].hidden = !checked;
        });
      });
      report.sort(rows, sorts[wanted.get("sort") || "order of the list"], wanted.has("reversed") ? -1 : 1);
      const found = facts.filter(each => matches(each, wanted));
      rows.forEach(row => { row.hidden = !found.includes(row.fact); });
      say(found);
      const search = wanted.toString();
      history.replaceState(null, "", (search ? "?" + search : location.pathname) + location.hash);
      all(".pager a, .lists a", section).forEach(link => { link.search = search; });
    }

    new URLSearchParams(location.search).forEach((wish, name) => {
      const without = name === "without";
      const each = without ? boxes[titles.indexOf(wish)] : form.elements.namedItem(name);
      if (each?.type === "checkbox") each.checked = !without;
      else if (each) each.value = wish;
      if (each?.selectedIndex < 0) each.value = "";
    });
    form.onsubmit = event => event.preventDefault();
    form.onreset = () => { chosen = null; setTimeout(apply); };
    // A plot of the page chooses cases: names of their pages, or null for all.
    document.addEventListener("choose-cases", event => { chosen = event.detail; apply(); });
    table.closest(".scroll").before(form, status);
    apply();
  });
})();
