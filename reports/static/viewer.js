// Compares the pictures of a case: cut at a split, one at a time, or up to six side by side.
(function () {
  "use strict";
  const { element, all } = report, [box] = all("[data-compare]"), CLOSEST = 16;

  var source = image => image.getAttribute("src");
  var between = (low, value, high) => Math.max(low, Math.min(value, high));
  var find = key => pictures.findIndex(each => each.key === key);
  var count = () => Number(state.view) || 2;
  const div = (className, children) => element("div", { className }, children);
  const part = what => box.querySelector(what);

  const button = (textContent, onclick) =>
    element("button", { type: "button", textContent, onclick });

  // The pictures on offer are the figures of the page that carry a key and a name.
  var pictures = all("figure[data-key]").map(figure => {
    // What a fill has in the hole lies on its photo.
    var layers = all(":scope > .stack img, :scope > img:first-child", figure).map(source);
    return {
      key: figure.dataset.key, name: figure.dataset.name, below: layers[0], src: layers.pop(),
      truth: all(".truth", figure).map(source)[0], file: figure.querySelector("[download]")
    };
  });
  var images = box ? all("figure img:last-of-type", box) : [];
  if (images.length !== 2 || pictures.length < 2) return;
  var usual = images.map(image => pictures.findIndex(each => each.src === source(image)));
  var size = ["width", "height"].map(name => Number(images[0].getAttribute(name)));
  var hole = (box.dataset.hole || "0 0 " + size.join(" ")).split(" ").map(Number);
  var marked = find("marked"), sealed = window.origin === "null"; // no page reads what it drew
  var points = new Map(), held, placed, splitting, timer;

  var stage = element("div", {
    tabIndex: 0, role: "group", ariaLabel: "Pictures; arrow keys move them"
  });
  var panes = Array.from("ABCDEF", pane);
  stage.append(...panes.map(each => each.node));
  box.replaceChildren(stage, document.getElementById("viewer").content);
  box.classList.add("live");
  part(".controls").append(...panes.map(each => each.control));
  var range = part("[type=range]"), dialog = part("dialog");

  // What the address asks for.
  var given = new URLSearchParams(location.search), asked = given.get("layers") || "";
  var at = given.get("at")?.split(",").map(Number), shown = [];
  var view = given.get("view"), start = given.get("zoom");
  Array.from("abcdef", (letter, side) => {
    var next = pictures.findIndex((each, place) => each.key > 0 && !shown.includes(place));
    shown.push([find(given.get(letter)), side < 2 ? usual[side] : next, 0].find(x => x >= 0));
  });
  var state = {
    shown, view: /^[ab2-6]$/.test(view) ? view : "slider",
    zoom: start === "fit" ? start : between(0, start, CLOSEST) || "hole",
    at: at?.length === 2 && at.every(isFinite) && at,
    split: between(0, given.get("split") || 50, 100) || 0,
    error: asked.includes("error"), outline: asked.includes("outline")
  };

  // The address of what is seen, or of what suits the next case too.
  function address(whole) {
    var kept = [], layers = ["error", "outline"].filter(name => state[name]).join();
    var keep = (name, value, unless) => value === unless || kept.push(name + "=" + value);
    state.shown.slice(0, count()).forEach((picture, side) =>
      keep("abcdef"[side], pictures[picture].key, side ? "" : pictures[usual[0]].key));
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
    var tag = element("span", { className: "tag" }), words = element("span");
    var node = div("pane", [
      div("plane", [div("moved", [layers[0], div("stack", layers.slice(1, 3))])]),
      div("plane edge", [layers[3]]), tag
    ]);
    node.role = "group";
    var select = element("select", { onchange: () => show(select.selectedIndex, side) },
      pictures.map(each => element("option", { textContent: each.name })));
    var png = button("PNG", () => save(layers.slice(1, 3), pictures[state.shown[side]]));
    var control = div("", [element("label", {}, [words, select]), png]);
    return { node, control, draw() {
      var picture = pictures[state.shown[side]], { src, truth, name } = picture;
      node.hidden = control.hidden = side >= count();
      [truth || src, picture.below, src, pictures[marked]?.src || src].forEach(
        (wanted, layer) => source(layers[layer]) === wanted || (layers[layer].src = wanted));
      node.classList.toggle("error", state.error && Boolean(truth));
      layers[2].alt = name;
      tag.textContent = node.ariaLabel = letter + ": " + name;
      select.selectedIndex = state.shown[side];
      words.textContent = letter + (state.view === "slider" ? [", left", ", right"][side] : "");
      png.hidden = sealed && !picture.file;
      png.ariaLabel = `Download ${name} as PNG`;
    } };
  }

  function draw() {
    var many = Number(state.view), across = many > 4 ? 3 : many === 4 ? 2 : many || 1;
    var names = state.shown.map(picture => pictures[picture].name);
    stage.className = `stage ${many ? "many" : "over"} ${state.view}`;
    stage.classList.toggle("outlined", state.outline && marked >= 0);
    style("--across", across);
    style("--down", Math.ceil((many || 1) / across));
    style("--split", state.split + "%");
    panes.forEach(each => each.draw());
    range.value = state.split;
    range.disabled = state.view !== "slider";
    range.ariaValueText = `${range.value} % ${names[0]}, rest ${names[1]}`;
    all(".tools input", box).forEach(input => {
      input.checked = input.value === String(state[input.name]).replace(/^a$/, "b");
    });
    var key = pictures[state.shown[1]].key;
    all(".key").forEach(each => { each.ariaPressed = each.value === key; });
    all(".steps a").forEach(link => { link.search = address(); });
    part("[role=status]").textContent =
      names.slice(state.view === "b", state.view === "a" ? 1 : count());
    place();
    clearTimeout(timer);
    timer = setTimeout(() => history.replaceState(
      null, "", location.pathname + address(true) + location.hash), 150);
  }

  const style = (name, value) => stage.style.setProperty(name, value);

  // Puts all pictures at the same place of their panes, which are of one size.
  function place() {
    var room = [panes[0].node.clientWidth, panes[0].node.clientHeight];
    var least = sides => Math.min(room[0] / sides[0], room[1] / sides[1]);
    var around = Math.max(16, 0.3 * Math.max(hole[2], hole[3])), fit = least(size);
    var close = Math.min(CLOSEST, least([hole[2] + around, hole[3] + around]));
    var scale = { fit, hole: Math.max(fit, close) }[state.zoom] || state.zoom;
    var start = size.map((whole, axis) => {
      var at = state.at ? state.at[axis] * whole : hole[axis] + hole[axis + 2] / 2;
      var spare = room[axis] - whole * scale;
      return Math.round(spare > 0 ? spare / 2 : between(spare, room[axis] / 2 - at * scale, 0));
    });
    var middle = room.map(each => each / 2), loose = scale > fit * 1.001;
    placed = { scale, fit, start, middle, loose };
    style("--move", `translate(${start.join("px, ")}px) scale(${scale})`);
    stage.classList.toggle("pixels", loose && scale > 1);
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

  const help = () => dialog.showModal();
  const closer = factor => move(placed.middle, placed.middle, factor);

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

  // The file of the picture, or else what is seen here at its own size.
  function save(layers, picture) {
    if (picture.file) return picture.file.click();
    var canvas = element("canvas", { width: size[0], height: size[1] });
    layers.forEach(image => canvas.getContext("2d").drawImage(image, 0, 0, ...size));
    var name = `${box.dataset.compare}-${picture.name.replace(/[^A-Za-z0-9]+/g, "-")}.png`;
    canvas.toBlob(blob =>
      element("a", { href: URL.createObjectURL(blob), download: name }).click());
  }

  part(".tools").onchange = ({ target: { name, type, value, checked } }) => {
    if (name === "zoom") zoom(Number(value) || value);
    else set(name, type === "radio" ? value : checked);
  };
  part(".tools button").onclick = help;
  part("dialog button").onclick = () => dialog.close();
  if (!sealed) part(".sealed")?.remove();

  // A method's number in the table of numbers shows its fill.
  all("tr[data-fill]").forEach(row => {
    var key = row.dataset.fill, picture = find(key);
    if (picture < 0) return;
    row.cells[0].prepend(Object.assign(button("", () => show(picture, 1)), {
      className: "key", value: key, ariaLabel: `Show ${pictures[picture].name} as B`
    }));
  });
  style("--w", size[0] + "px");
  style("--h", size[1] + "px");

  // Where in the pane in which it began a drag or a pinch is.
  function inside({ clientX, clientY }) {
    var { left, top } = held.getBoundingClientRect();
    return [clientX - left, clientY - top];
  }

  function hold(event) {
    held = event.target.closest(".pane") || panes[0].node;
    return inside(event);
  }

  function follow(at) {
    set("split", between(0, Math.round(50 * at[0] / placed.middle[0]), 100));
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
      var old = points.get(event.pointerId), now = old && inside(event), other;
      if (!old) return;
      points.set(event.pointerId, now);
      if (splitting) return follow(now);
      points.forEach(point => { if (point !== now) other = point; });
      var middle = point => point.map((each, axis) => (each + (other || point)[axis]) / 2);
      var apart = point => 1 + (other ? Math.hypot(point[0] - other[0], point[1] - other[1]) : 0);
      move(middle(old), middle(now), apart(now) / apart(old));
    },
    lostpointercapture: event => points.delete(event.pointerId),
    touchmove: event => { if (event.touches.length > 1) event.preventDefault(); },
    // Two fingers on a touchpad; a wheel alone scrolls the page.
    wheel: event => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      move(hold(event), inside(event), Math.exp(-event.deltaY / 200));
    }
  };
  for (var name in events) stage.addEventListener(name, events[name], { passive: false });
  range.oninput = () => set("split", Number(range.value));
  new ResizeObserver(place).observe(panes[0].node);

  function step(way) {
    all(`.steps [rel=${way}]`).find(link => link.checkVisibility())?.click();
  }

  var actions = {
    " ": () => set("view", state.view === "a" ? "b" : "a"), s: () => set("view", "slider"),
    h: () => zoom("hole"), f: () => zoom("fit"),
    "+": () => closer(1.5), "-": () => closer(1 / 1.5),
    e: () => set("error", !state.error), o: () => set("outline", !state.outline),
    0: () => show(usual[0], 1), "?": help,
    ArrowLeft: () => step("prev"), ArrowRight: () => step("next")
  };
  var ways = { ArrowLeft: [40, 0], ArrowRight: [-40, 0], ArrowUp: [0, 40], ArrowDown: [0, -40] };

  document.addEventListener("keydown", event => {
    var { target: on, key } = event, act = actions[key] || actions[key.toLowerCase()];
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
