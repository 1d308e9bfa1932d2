// Dots of cases: any two methods, the pictures of a case, a choice of cases by dragging.
(() => {
  "use strict";
  const { all, element } = report, data = report.data("dots-data");
  if (!data) return;
  const section = document.getElementById("dots").parentNode, pair = data.pair;
  const [versus, along] = all(".versus, .along", section), [across, up, shares] = data.scales;
  // Dots, their axis across, and what of a share and two values they show there and upwards.
  const GROUPS = [[".pair", across, 1, 2], ["g.a", shares, 0, 1], ["g.b", shares, 0, 2]];

  function set(node, attributes) {
    Object.entries(attributes).forEach(each => node.setAttribute(...each));
  }

  function at(scale, value) {
    const of = scale.log ? Math.log : Number;
    const part = (of(value) - of(scale.low)) / (of(scale.high) - of(scale.low));
    return (scale.start + part * (scale.end - scale.start)).toFixed(1);
  }

  const both = values => pair.map(method => values[method]);
  const known = found => !found.includes(null);

  const said = row => both(data.values[row]).map((value, i) =>
    `${both(data.methods)[i]} ${value === null ? "not measured" : value.toFixed(data.decimals)}`);

  // -- any two methods --

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

  // -- pictures --

  const peek = element("div", { className: "peek", hidden: true, ariaHidden: "true" });

  const picture = (files, textContent) => element("figure", {}, [
    element("span", { className: "stack" },
      files.filter(Boolean).map(file => element("img", { src: "../" + file, alt: "" }))),
    element("figcaption", { textContent })
  ]);

  function show({ target }) {
    const link = target.closest("g.cases a");
    peek.hidden = !link;
    if (!link) return;
    const found = data.cases[link.row], box = link.getBoundingClientRect(), fills = both(found.fills);
    peek.replaceChildren(
      element("p", { textContent: found.name }), picture(found.hole, "hole"),
      ...said(link.row).map((text, i) => picture([found.original, fills[i]], text)));
    const { offsetWidth: width, offsetHeight: height } = peek, above = box.top - height - 10;
    peek.style.left = Math.max(8, Math.min(innerWidth - width - 24, box.left - width / 2)) + "px";
    peek.style.top = (above > 60 ? above : box.bottom + 10) + "px";
  }

  function hide() { peek.hidden = true; }

  // -- a choice by dragging, keys from dot to dot --

  const status = element("span", { className: "small", role: "status" });
  const clear = element("button", {
    type: "button", textContent: "Show all cases", hidden: true, onclick: () => choose([])
  });

  // A choice of nothing shows all again.
  function choose(found) {
    const rows = found.length ? [...new Set(found)] : null;
    clear.hidden = !rows;
    status.textContent = rows ? `${rows.length} of ${data.cases.length} cases chosen; the list below shows those of this page. ` : "";
    all("g.cases a", section).forEach(link => {
      link.classList.toggle("out", !!rows && !rows.includes(link.row));
    });
    const detail = rows && rows.map(row => data.cases[row].page);
    document.dispatchEvent(new CustomEvent("choose-cases", { detail }));
  }

  const brush = element("div", { className: "brush", hidden: true });

  // Dots that are drawn, from left to right, each with its middle in the window.
  const drawn = links => links.map(link => {
    const { x, y, width, height } = link.lastChild.getBoundingClientRect();
    return { link, x: x + width / 2, y: y + height / 2, width };
  }).filter(dot => dot.width).sort((a, b) => a.x - b.x);

  function ready(svg) {
    const links = all("g.cases a", svg);
    let from = null;
    if (links[0]) set(links[0], { tabindex: 0 });
    svg.onpointerover = show;
    svg.onpointerleave = hide;
    svg.addEventListener("focusin", show);
    svg.addEventListener("focusout", hide);

    svg.onkeydown = event => {
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key], link = event.target.closest("a");
      if (event.key === "Escape") hide();
      if (!step || !link) return;
      event.preventDefault();
      const order = drawn(links), now = order.findIndex(dot => dot.link === link);
      order[now + step]?.link.focus();
    };

    svg.onpointerdown = event => {
      if (event.button || event.pointerType === "touch" || event.target.closest("a")) return;
      from = event;
      svg.setPointerCapture(event.pointerId);
    };
    svg.onpointermove = ({ x, y }) => {
      if (!from) return;
      brush.hidden = false;
      Object.assign(brush.style, {
        left: Math.min(from.x, x) + "px", width: Math.abs(from.x - x) + "px",
        top: Math.min(from.y, y) + "px", height: Math.abs(from.y - y) + "px"
      });
    };
    svg.onpointerup = svg.onpointercancel = ({ type }) => {
      const { left, right, top, bottom } = brush.getBoundingClientRect();
      const found = drawn(links).filter(({ x, y }) => left <= x && x <= right && top <= y && y <= bottom);
      if (!brush.hidden && type === "pointerup") choose(found.map(dot => dot.link.row));
      from = null;
      brush.hidden = true;
    };
  }

  section.querySelector(".plots").before(
    element("div", { className: "tools" }, ["Across", "Up"].map(chooser)),
    element("p", { className: "small", textContent: "Point at a dot for its pictures; arrow keys go from dot to dot; drag over dots to choose cases for the list below." }),
    element("p", { className: "chosen" }, [status, clear]));
  section.append(peek, brush);
  addEventListener("scroll", () => show({ target: document.activeElement }), { passive: true });
  [versus, along].forEach(ready);
  dots();
})();
