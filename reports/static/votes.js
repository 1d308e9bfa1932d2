// Blind votes: two fills of a case side by side, in an order and on sides that a seed decides.
(function () {
  "use strict";
  const element = report.element, ballot = report.data("votes-data");
  if (!ballot) return;

  const drawn = crypto.getRandomValues(new Uint32Array(3)), seed = drawn[0];
  const session = [drawn[1], drawn[2]].map(each => each.toString(16).padStart(8, "0")).join("");
  const pairs = [], met = {}, seen = {}, done = [];
  let state = seed || 1, saved = 0, shown = null, since = 0;

  function random(below) {  // Marsaglia's xorshift of 32 bits
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
    return (state >>> 0) % below;
  }

  ballot.cases.forEach((one, place) => one.fills.forEach((a, index) => {
    one.fills.slice(index + 1).forEach(b => {
      if (a[2] === b[2]) return;  // what looks the same nobody can tell apart
      const pair = { place, sides: [a, b], met: a[0] + " " + b[0] };
      met[pair.met] = seen[place] = 0;
      pairs.splice(random(pairs.length + 1), 0, pair);
    });
  }));

  // Of the pairs of methods that met least, one of the case that was seen least.
  function next() {
    const cost = pair => met[pair.met] * 1e6 + seen[pair.place];
    if (!pairs.length) return null;
    const best = pairs.reduce((a, b) => cost(b) < cost(a) ? b : a);
    pairs.splice(pairs.indexOf(best), 1);
    if (random(2)) best.sides.reverse();
    return best;
  }

  function figure(one, path, below, words) {
    const image = (src, alt) => element("img", { src, alt, width: one.width, height: one.height });
    return element("figure", {}, [
      element("span", { className: below ? "stack" : "" },
        below ? [image(below, ""), image(path, words)] : [image(path, words)]),
      element("figcaption", { textContent: words })
    ]);
  }

  function show() {
    const own = shown, rounds = Math.min(...Object.values(met));
    since = 0;
    pane.ariaBusy = "true";
    told.textContent = done.length + " judged, " + (done.length - saved) + " not saved. " +
      (rounds ? "Every two methods met at least " + rounds + (rounds > 1 ? " times." : " time.")
        : Object.keys(met).length + " let every two methods meet once.");
    undo.disabled = keep.disabled = !done.length;
    pane.textContent = own ? "" : "All pairs are judged. Save the votes.";
    if (!own) return;
    const one = ballot.cases[own.place];
    own.sides.forEach((fill, side) =>
      pane.append(figure(one, fill[2], fill[3], side ? "Right" : "Left")));
    if (hole.checked && one.hole) pane.append(figure(one, one.hole, one.photo, "Photo, hole marked"));
    Promise.allSettled(Array.from(pane.querySelectorAll("img"), image => image.decode()))
      .then(() => {
        if (own !== shown) return;
        since = performance.now();
        pane.ariaBusy = "false";
      });
  }

  function choose(choice) {
    if (!shown || !since) return;  // not before both can be seen
    done.push({
      pair: shown, left: shown.sides[0][1], right: shown.sides[1][1], choice,
      ms: Math.round(performance.now() - since), at: new Date().toISOString()
    });
    move(1, next);
  }

  function back() {
    if (!done.length) return;
    if (shown) pairs.push(shown);
    shown = done.pop().pair;
    saved = Math.min(saved, done.length);
    move(-1, () => shown);
  }

  function move(by, then) {
    met[shown.met] += by;
    seen[shown.place] += by;
    shown = then();
    show();
  }

  function save() {
    const text = JSON.stringify({
      format: ballot.format, run: ballot.run, voter: voter.value, session, seed, votes: done
    }, (key, value) => key === "pair" ? undefined : value, 1);
    const href = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    element("a", { href, download: "votes-" + session + ".json" }).click();
    saved = done.length;
    show();
  }

  const button = (textContent, onclick) => element("button", { type: "button", textContent, onclick });
  const ways = {
    ArrowLeft: ["left", "← Left"], ArrowDown: ["equal", "↓ Equal"],
    ArrowRight: ["right", "Right →"], s: ["skip", "Skip (s)"]
  };
  const undo = button("Undo (z)", back), keep = button("Save votes", save);
  const pane = element("div", { className: "pair" });
  const told = element("p", { className: "small", role: "status" });
  const hole = element("input", { type: "checkbox", onchange: show });
  const voter = element("input", { type: "text", maxLength: 60 });

  addEventListener("keydown", event => {
    if (event.target === voter || event.ctrlKey || event.altKey || event.metaKey) return;
    const way = ways[event.key];
    const act = way ? () => choose(way[0]) : { z: back, h: () => hole.click() }[event.key];
    if (!act) return;
    act();
    event.preventDefault();
  });
  addEventListener("beforeunload", event => { if (done.length > saved) event.preventDefault(); });

  document.getElementById("booth").replaceChildren(
    pane,
    element("div", { className: "tools" },
      Object.values(ways).map(way => button(way[1], () => choose(way[0]))).concat(undo)),
    told,
    element("div", { className: "tools" }, [
      element("label", {}, [hole, " Photo with the hole (h)"]),
      element("label", {}, ["Your name, if you like ", voter]), keep
    ])
  );
  shown = next();
  show();
})();
