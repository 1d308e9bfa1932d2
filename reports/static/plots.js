// Dots of cases: any two methods, the pictures of a case, a choice of cases by dragging.
(() => {
  "use strict";
  const { all, element } = report, data = report.data("dots-data");
  if (!data) return;
  const section = document.getElementById("dots").parentNode, pair = data.pair;
  const [versus, along] = all(".versus, .along", section), [across, up, shares] = data.scales;
  // Dots, their axis across, and what of a share and two values they show there and upwards.
  const GROUPS = [[".pair", across, 1, 2], ["g.a", shares, 0, 1], ["g.b", shares, 0, 2]];

  const set = (node, attributes) =>
    Object.entries(attributes).forEach(each => node.setAttribute(...each));

  const at = ({ log, low, high, start, end }, value) => {
    const of = log ? Math.log : Number, part = (of(value) - of(low)) / (of(high) - of(low));
    return (start + part * (end - start)).toFixed(1);
  };

  const both = values => pair.map(method => values[method]);
  const known = found => !found.includes(null);

  const said = row => both(data.values[row]).map((value, i) =>
    `${both(data.methods)[i]} ${value === null ? "not measured" : value.toFixed(data.decimals)}`);

  function dots() {
    GROUPS.forEach(([selector, scale, x, y]) => {
      const group = section.querySelector(selector), links = all("a", group);
      let rest = "";
      data.values.forEach((values, row) => {
        const place = [data.shares[row], ...both(values)], seen = known([place[x], place[y]]);
        const cx = seen ? at(scale, place[x]) : 0, cy = seen ? at(up, place[y]) : 0;
        const link = links[row], found = data.cases[row];
        if (link) {
          link.row = row;
          link.firstChild.textContent = `${found.name}: ${said(row).join(", ")}`;
          const href = `../cases/${found.page}.html?b=${data.columns[pair[y - 1]]}`;
          set(link, { href, display: seen ? "inline" : "none" });
          set(link.lastChild, { cx, cy });
        } else if (seen) rest += `M${cx} ${cy}h0`;
      });
      set(group.firstChild, { d: rest });
    });
  }

  // What is written beside the dots, and the means.
  function lines() {
    const names = both(data.methods), pairs = data.values.map(both).filter(known);
    names.forEach((name, i) => {
      // The first side is where the second method has the larger value.
      const larger = pairs.filter(values => values[1 - i] > values[i]).length;
      all(".side", versus)[i].textContent = `${names[data.higher ? 1 - i : i]} better: ${larger}`;
      all(".axis", versus)[i].textContent = `${data.name} of ${name}`;
      all(".row", along)[i].textContent = name;
      const points = data.means[pair[i]].map(([x, y]) => at(shares, x) + " " + at(up, y));
      set(all(".means", along)[i], { d: points.length ? "M" + points.join("L") : "" });
    });
  }

  const chooser = (words, i) => element("label", {}, [words + " ", element("select", {
    onchange: ({ target }) => { pair[i] = +target.value; dots(); lines(); }
  }, data.methods.map((textContent, value) =>
    element("option", { value, textContent, selected: value === pair[i] })))]);

  const peek = element("div", { className: "peek", hidden: true, ariaHidden: "true" });

  // Files lie on each other.
  const picture = (files, textContent) => element("figure", {}, [
    element("span", { className: "stack" },
      files.filter(Boolean).map(file => element("img", { src: "../" + file, alt: "" }))),
    element("figcaption", { textContent })
  ]);

  function show({ target }) {
    const link = target.closest("g.cases a");
    peek.hidden = !link;
    if (!link) return;
    const found = data.cases[link.row], box = link.getBoundingClientRect();
    peek.replaceChildren(
      element("p", { textContent: found.name }), picture(found.hole, "hole"),
      ...said(link.row).map((text, i) => picture([found.original, both(found.fills)[i]], text)));
    const left = Math.min(box.left - peek.offsetWidth / 2, innerWidth - peek.offsetWidth - 24);
    const above = box.top - peek.offsetHeight - 10;
    peek.style.left = Math.max(8, left) + "px";
    peek.style.top = (above > 60 ? above : box.bottom + 10) + "px";
  }

  // What is no dot hides the pictures.
  document.addEventListener("pointerover", show);
  document.addEventListener("focusin", show);
  addEventListener("scroll", () => show({ target: document.activeElement }), { passive: true });

  const HINT = "Point at a dot for its pictures; arrow keys go from dot to dot; drag over dots to list their cases below.";
  const status = element("span", { className: "small", role: "status", textContent: HINT });
  const clear = element("button", { textContent: "Show all cases", hidden: true, onclick: () => choose([]) });

  // A choice of nothing shows all again.
  function choose(found) {
    const rows = found.length ? [...new Set(found)] : null;
    clear.hidden = !rows;
    status.textContent = rows ? `${rows.length} of ${data.cases.length} cases listed below. ` : HINT;
    all("g.cases a", section).forEach(link => {
      link.classList.toggle("out", !!rows && !rows.includes(link.row));
    });
    const detail = rows?.map(row => data.cases[row].page);
    document.dispatchEvent(new CustomEvent("choose-cases", { detail }));
  }

  // Dots in an element that are drawn, from left to right, each with its middle in the window.
  const drawn = inside => all("g.cases a", inside).map(link => {
    const { x, y, width, height } = link.lastChild.getBoundingClientRect();
    return { link, row: link.row, x: x + width / 2, y: y + height / 2, width };
  }).filter(dot => dot.width).sort((a, b) => a.x - b.x);

  section.onkeydown = event => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], link = event.target.closest("g.cases a");
    if (event.key === "Escape") peek.hidden = true;
    if (!step || !link) return;
    event.preventDefault();
    const order = drawn(link.closest("svg")), now = order.findIndex(dot => dot.link === link);
    order[now + step]?.link.focus();
  };

  const brush = element("div", { className: "brush", hidden: true });
  let from = null;

  section.onpointerdown = ({ target, button, pointerType, pointerId, x, y }) => {
    if (button || pointerType === "touch" || target.closest("a") || !target.closest("svg")) return;
    from = { x, y };
    section.setPointerCapture(pointerId);
  };
  section.onpointermove = ({ x, y }) => {
    if (!from) return;
    brush.hidden = false;
    Object.assign(brush.style, {
      left: Math.min(from.x, x) + "px", width: Math.abs(from.x - x) + "px",
      top: Math.min(from.y, y) + "px", height: Math.abs(from.y - y) + "px"
    });
  };
  section.onpointerup = section.onpointercancel = ({ type }) => {
    const { left, right, top, bottom } = brush.getBoundingClientRect();
    const within = ({ x, y }) => left <= x && x <= right && top <= y && y <= bottom;
    if (!brush.hidden && type === "pointerup") choose(drawn(section).filter(within).map(dot => dot.row));
    from = null;
    brush.hidden = true;
  };

  section.querySelector(".plots").before(
    element("div", { className: "tools filters" }, ["Across", "Up"].map(chooser)),
    element("p", { className: "chosen" }, [status, clear]));
  section.append(peek, brush);
  [versus, along].forEach(chart => chart.querySelector("g.cases a")?.setAttribute("tabindex", 0));
  dots();
})();
