// Compares the pictures of a case: cut at a split, one at a time, or up to six side by side.
(function () {
  "use strict";
  var element = report.element, box = document.querySelector("[data-compare]");
  var LETTERS = "abcdef", CLOSEST = 16, VIEWS = ["slider", "b", "2", "3", "4", "5", "6"];
  var ZOOMS = ["hole", "fit", 1, 2, 4];
  var HELP = [
    "1 to 9: this method as B", "0: the original or the truth as B", "Space: A or B, whole",
    "S: slider", "← →: previous, next case", "H: zoom to the hole", "F: the whole picture",
    "+ −: closer, farther", "E: maps of errors", "O: outline of the hole",
    "?: this list; Escape closes it", "Tab to the picture, then arrows: move it; so does a drag"
  ];

  var all = (inside, what) => Array.from(inside.querySelectorAll(what));
  var source = image => image.getAttribute("src");
  var between = (low, value, high) => Math.max(low, Math.min(value, high));
  var find = key => pictures.findIndex(each => each.key === key);

  // The pictures on offer are the figures of the page that carry a key and a name.
  var pictures = all(document, "figure[data-key]").map(figure => {
    var layers = all(figure, ":scope > .stack img, :scope > img").slice(0, 2).map(source);
    var stacked = figure.firstElementChild.matches(".stack"), truth = figure.querySelector(".truth");
    return {
      key: figure.dataset.key, name: figure.dataset.name, src: layers[stacked ? 1 : 0],
      // What a fill has in the hole lies on its photo.
      below: layers[0], truth: truth && source(truth), file: figure.querySelector("[download]")
    };
  });
  var images = box ? all(box, "figure img:last-of-type") : [];
  if (images.length !== 2 || pictures.length < 2) return;
  var usual = images.map(image => pictures.findIndex(each => each.src === source(image)));
  var size = ["width", "height"].map(name => Number(images[0].getAttribute(name)));
  var hole = (box.dataset.hole || "0 0 " + size.join(" ")).split(" ").map(Number);
  var marked = find("marked"), measured = pictures.some(each => each.truth);
  var sealed = window.origin === "null"; // from disk a page may not read what it drew
  var points = new Map(), state = asked(), held, placed, splitting, timer;

  // What the address asks for.
  function asked() {
    var given = new URLSearchParams(location.search), layers = given.get("layers") || "";
    var at = (given.get("at") || "").split(",").map(Number), shown = [];
    Array.from(LETTERS, (letter, side) => {
      var next = pictures.findIndex((each, place) => each.key > 0 && !shown.includes(place));
      var found = [find(given.get(letter)), side < 2 ? usual[side] : next, 0];
      shown.push(found.find(place => place >= 0));
    });
    return {
      shown: shown, view: /^[ab2-6]$/.test(given.get("view")) ? given.get("view") : "slider",
      zoom: given.get("zoom") === "fit" ? "fit" : between(0, given.get("zoom"), CLOSEST) || "hole",
      at: at.length === 2 && at.every(isFinite) ? at : null,
      split: between(0, Math.round(given.get("split") || 50), 100) || 0,
      error: measured && layers.includes("error"),
      outline: marked >= 0 && layers.includes("outline")
    };
  }

  // The address of what is seen, or of what suits the next case too.
  function address(whole) {
    var kept = [], layers = ["error", "outline"].filter(name => state[name]).join();
    var keep = (name, value, unless) => { if (value !== unless) kept.push(name + "=" + value); };
    state.shown.slice(0, Number(state.view) || 2).forEach((picture, side) =>
      keep(LETTERS[side], pictures[picture].key, side ? "" : pictures[usual[0]].key));
    keep("view", state.view, "slider");
    keep("zoom", state.zoom, "hole");
    keep("layers", layers, "");
    if (whole && state.at) keep("at", state.at.map(each => each.toFixed(3)).join());
    if (whole) keep("split", state.split, 50);
    return "?" + kept.join("&");
  }

  function pane(letter, side) {
    var layers = ["truth", "", "", "moved"].map(name =>
      element("img", { alt: "", className: name, draggable: false }));
    var tag = element("span", { className: "tag" }), name = element("span");
    var node = element("div", { className: "pane", role: "group" }, [
      element("div", { className: "plane" }, [element("div", { className: "moved" }, [
        layers[0], element("div", { className: "stack" }, layers.slice(1, 3))
      ])]), element("div", { className: "plane edge" }, [layers[3]]), tag
    ]);
    var select = element("select", {}, pictures.map(each =>
      element("option", { textContent: each.name })));
    select.addEventListener("change", () => show(select.selectedIndex, side));
    var link = element("a", { textContent: "PNG" });
    var button = element("button", { type: "button", textContent: "PNG" });
    button.addEventListener("click", () =>
      save(layers.slice(1, 3), pictures[state.shown[side]].name));
    var control = element("div", {}, [element("label", {}, [name, select]), link, button]);

    function draw() {
      var picture = pictures[state.shown[side]];
      node.hidden = control.hidden = side >= (Number(state.view) || 2);
      if (node.hidden) return;
      [picture.truth || picture.src, picture.below, picture.src,
        (pictures[marked] || picture).src].forEach((wanted, index) => {
        if (source(layers[index]) !== wanted) layers[index].src = wanted;
      });
      node.classList.toggle("error", state.error && picture.truth !== null);
      layers[2].alt = picture.name;
      tag.textContent = node.ariaLabel = letter + ": " + picture.name;
      select.selectedIndex = state.shown[side];
      name.textContent = letter + (state.view === "slider" ? [", left", ", right"][side] : "");
      link.hidden = !picture.file;
      button.hidden = sealed || picture.file;
      link.ariaLabel = button.ariaLabel = "Download " + picture.name + " as PNG";
      if (picture.file) Object.assign(link, { href: picture.file.href, download: "" });
    }
    return { node: node, control: control, draw: draw };
  }

  function draw() {
    var many = Number(state.view), across = many > 4 ? 3 : many === 4 ? 2 : many || 1;
    var names = state.shown.map(picture => pictures[picture].name);
    stage.className = "stage " + (many ? "many" : "over " + state.view);
    stage.classList.toggle("outlined", state.outline);
    style("--across", across);
    style("--down", Math.ceil((many || 1) / across));
    style("--split", state.split + "%");
    panes.forEach(each => each.draw());
    range.value = state.split;
    range.disabled = state.view !== "slider";
    range.setAttribute("aria-valuetext", range.value + " % " + names[0] + ", rest " + names[1]);
    choose(views, VIEWS.indexOf(state.view.replace("a", "b")));
    choose(zooms, ZOOMS.indexOf(state.zoom));
    layers.forEach(each => { each.firstChild.checked = state[each.firstChild.value]; });
    all(document, ".key").forEach(button => {
      button.ariaPressed = button.value === pictures[state.shown[1]].key;
    });
    all(document, ".steps a").forEach(link => { link.search = address(); });
    status.textContent = names.slice(state.view === "b", many || (state.view === "a" ? 1 : 2));
    place();
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(
      null, "", location.pathname + address(true) + location.hash), 150);
  }

  function style(name, value) { stage.style.setProperty(name, value); }

  function choose(group, chosen) {
    all(group, "input").forEach((input, index) => { input.checked = index === chosen; });
  }

  // Puts all pictures at the same place of their panes, which are of one size.
  function place() {
    var room = [panes[0].node.clientWidth, panes[0].node.clientHeight];
    var least = sides => Math.min(room[0] / sides[0], room[1] / sides[1]);
    var around = Math.max(16, 0.3 * Math.max(hole[2], hole[3])), fit = least(size);
    var close = Math.min(CLOSEST, least([hole[2] + around, hole[3] + around]));
    var scale = { fit: fit, hole: Math.max(fit, close) }[state.zoom] || state.zoom;
    var start = size.map((whole, axis) => {
      var at = state.at ? state.at[axis] * whole : hole[axis] + hole[axis + 2] / 2;
      var spare = room[axis] - whole * scale;
      return Math.round(spare > 0 ? spare / 2 : between(spare, room[axis] / 2 - at * scale, 0));
    });
    placed = {
      scale: scale, fit: fit, start: start, middle: room.map(each => each / 2),
      loose: scale > fit * 1.001
    };
    style("--move", "translate(" + start.join("px, ") + "px) scale(" + scale + ")");
    stage.classList.toggle("pixels", placed.loose && scale > 1);
  }

  // Moves what is at a point of the frame to another point, enlarged by a factor.
  function move(from, to, factor) {
    var scale = between(Math.min(placed.fit, 1), placed.scale * factor, CLOSEST);
    if (factor !== 1) state.zoom = scale > placed.fit ? scale : "fit";
    state.at = size.map((whole, axis) => {
      var there = (from[axis] - placed.start[axis]) / placed.scale;
      return between(0, (there + (placed.middle[axis] - to[axis]) / scale) / whole, 1);
    });
    draw();
  }

  function closer(factor) { move(placed.middle, placed.middle, factor); }

  function zoom(value) {
    if (value > 0) closer(value / placed.scale);
    else state.at = null;
    set("zoom", value);
  }

  function set(name, value) {
    state[name] = value;
    draw();
  }

  function show(picture, side) {
    if (picture < 0) return;
    state.shown[side] = picture;
    set("view", state.view === "a" && side ? "b" : state.view);
  }

  // The picture as it is seen here, at its own size.
  function save(layers, name) {
    var canvas = element("canvas", { width: size[0], height: size[1] });
    layers.forEach(image => canvas.getContext("2d").drawImage(image, 0, 0, size[0], size[1]));
    canvas.toBlob(blob => element("a", {
      href: URL.createObjectURL(blob),
      download: box.dataset.compare + "-" + name.replace(/[^A-Za-z0-9]+/g, "-") + ".png"
    }).click());
  }

  function help() {
    var close = element("button", { type: "button", textContent: "Close" });
    var dialog = element("dialog", { ariaLabel: "Keys" }, [
      element("ul", {}, HELP.map(words => element("li", { textContent: words }))), close
    ]);
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    document.body.append(dialog);
    dialog.showModal();
  }

  var stage = element("div", {
    tabIndex: 0, role: "group", ariaLabel: "Pictures; arrow keys move them"
  });
  var status = element("p", { className: "hidden", role: "status" });
  var range = element("input", { type: "range" });
  var panes = Array.from(LETTERS.toUpperCase(), pane);
  var views = report.radios("View", "layout", VIEWS.map((value, index) => (
    { words: ["slider", "one frame", "2 panes"][index] || value, value: value }
  )), value => set("view", value));
  var zooms = report.radios("Zoom", "zoom", ZOOMS.map(value => (
    { words: value > 0 ? "× " + value : value, value: value }
  )), zoom);
  var layers = [
    measured && ["error", "maps of errors"], marked >= 0 && ["outline", "outline of the hole"]
  ].filter(Boolean).map(each => {
    var input = element("input", { type: "checkbox", value: each[0] });
    input.addEventListener("change", () => set(each[0], input.checked));
    return element("label", {}, [input, " " + each[1]]);
  });
  var keys = element("button", { type: "button", textContent: "Keys ?" });
  keys.addEventListener("click", help);
  // A method's number in the table of numbers shows its fill.
  all(document, "tr[data-fill]").forEach(row => {
    var picture = find(row.dataset.fill);
    if (picture < 0) return;
    var button = element("button", { type: "button", className: "key", value: row.dataset.fill });
    button.ariaLabel = "Show " + pictures[picture].name + " as B";
    button.addEventListener("click", () => show(picture, 1));
    row.cells[0].prepend(button);
  });
  style("--w", size[0] + "px");
  style("--h", size[1] + "px");
  stage.append(...panes.map(each => each.node));
  box.replaceChildren(
    stage, element("label", { className: "range" }, ["Split position", range]),
    element("div", { className: "controls" }, panes.map(each => each.control)),
    element("div", { className: "tools" }, [
      views, zooms, element("div", { className: "switch" }, layers.concat(keys))
    ]), status
  );
  if (sealed && !pictures.some(each => each.file)) {
    box.append(element("details", { className: "small" }, [
      element("summary", { textContent: "No download as PNG from disk" }),
      "A browser lets no page that was opened from disk save pictures that it put together. " +
      "Serve the folder (python -m http.server), or build it with --full-pictures."
    ]));
  }
  box.classList.add("live");

  function inside(event) {
    var frame = held.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  }

  function hold(event) {
    held = event.target.closest(".pane") || panes[0].node;
    return inside(event);
  }

  function follow(point) {
    set("split", between(0, Math.round(50 * point[0] / placed.middle[0]), 100));
  }

  var events = {
    mousedown: event => {
      event.preventDefault();
      document.activeElement.blur(); // so that keys are the viewer's
    },
    // A drag moves the split near its line, or where there is nothing else to move.
    pointerdown: event => {
      if (event.button) return;
      var at = hold(event), line = placed.middle[0] * state.split / 50;
      points.set(event.pointerId, at);
      stage.setPointerCapture(event.pointerId);
      splitting = state.view === "slider" && points.size === 1 &&
        (!placed.loose || Math.abs(at[0] - line) < 24);
      if (splitting) follow(at);
    },
    pointermove: event => {
      var old = points.get(event.pointerId);
      if (!old) return;
      var now = inside(event), other;
      points.set(event.pointerId, now);
      points.forEach(point => { if (point !== now) other = point; });
      var middle = point => [(point[0] + other[0]) / 2, (point[1] + other[1]) / 2];
      var apart = point => Math.hypot(point[0] - other[0], point[1] - other[1]) + 1;
      if (splitting) follow(now);
      else if (other) move(middle(old), middle(now), apart(now) / apart(old));
      else move(old, now, 1);
    },
    pointerup: event => points.delete(event.pointerId),
    pointercancel: event => points.delete(event.pointerId),
    touchmove: event => { if (event.touches.length > 1) event.preventDefault(); },
    // Two fingers on a touchpad; a wheel alone scrolls the page.
    wheel: event => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      move(hold(event), inside(event), Math.exp(-event.deltaY / 200));
    }
  };
  Object.keys(events).forEach(name =>
    stage.addEventListener(name, events[name], { passive: false }));
  range.addEventListener("input", () => set("split", Number(range.value)));
  new ResizeObserver(place).observe(panes[0].node);

  function step(way) {
    all(document, ".steps [rel=" + way + "]").filter(link => link.checkVisibility())
      .forEach(link => link.click());
  }

  var actions = {
    " ": () => set("view", state.view === "a" ? "b" : "a"), "s": () => set("view", "slider"),
    "h": () => zoom("hole"), "f": () => zoom("fit"),
    "+": () => closer(1.5), "-": () => closer(1 / 1.5),
    "e": () => set("error", measured && !state.error),
    "o": () => set("outline", marked >= 0 && !state.outline),
    "0": () => show(usual[0], 1), "?": help,
    "ArrowLeft": () => step("prev"), "ArrowRight": () => step("next")
  };
  var ways = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };

  document.addEventListener("keydown", event => {
    var on = event.target, key = event.key, act = actions[key] || actions[key.toLowerCase()];
    var own = "select, textarea, dialog *, input:not([type=radio], [type=range], [type=checkbox])";
    if (event.ctrlKey || event.altKey || event.metaKey || on.matches(own)) return;
    // What has the focus keeps the keys that it knows itself.
    if (on.matches("input, .scroll") && /^( |Arrow.*)$/.test(key)) return;
    if (on.matches("button, summary") && key === " ") return;
    if (/^[1-9]$/.test(key)) act = () => show(find(key), 1);
    if (on === stage && placed.loose && ways[key]) act = () => move([0, 0], ways[key], 1);
    if (!act) return;
    event.preventDefault();
    act();
  });

  draw();
  clearTimeout(timer);
})();
