// Blind votes: two fills of a case side by side, in an order and on sides that a seed decides.
(function () {
  "use strict";
  var element = report.element, ballot = report.data("votes-data");
  if (!ballot) { return; }

  var drawn = crypto.getRandomValues(new Uint32Array(3)), seed = drawn[0], state = seed || 1;
  var session = [drawn[1], drawn[2]].map(function (each) {
    return each.toString(16).padStart(8, "0");
  }).join("");

  function random(below) {  // Marsaglia's xorshift of 32 bits
    state ^= state << 13; state ^= state >>> 17; state ^= state << 5;
    return (state >>> 0) % below;
  }

  var pairs = [], met = {}, seen = {}, done = [], saved = 0, shown = null, since = 0;
  ballot.cases.forEach(function (one, place) {
    one.fills.forEach(function (a, index) {
      one.fills.slice(index + 1).forEach(function (b) {
        if (a[2] === b[2]) { return; }  // what looks the same nobody can tell apart
        var pair = { place: place, sides: [a, b], met: a[0] + " " + b[0] };
        met[pair.met] = seen[place] = 0;
        pairs.splice(random(pairs.length + 1), 0, pair);
      });
    });
  });
  var total = pairs.length;

  // Of the pairs of methods that met least, one of the case that was seen least.
  function next() {
    var best = null;
    function cost(pair) { return met[pair.met] * 1e6 + seen[pair.place]; }
    pairs.forEach(function (pair) { if (!best || cost(pair) < cost(best)) { best = pair; } });
    if (best) {
      pairs.splice(pairs.indexOf(best), 1);
      if (random(2)) { best.sides.reverse(); }
    }
    return best;
  }

  function figure(one, path, below, words) {
    function image(src, alt) {
      return element("img", { src: src, alt: alt, width: one.width, height: one.height });
    }
    var parts = below ? [image(below, ""), image(path, words)] : [image(path, words)];
    return element("figure", {}, [
      element("span", { className: below ? "stack" : "" }, parts),
      element("figcaption", { textContent: words })
    ]);
  }

  function show() {
    var own = shown, rounds = Math.min.apply(null, Object.values(met));
    since = 0;
    told.textContent = done.length + " of " + total + " judged, " + (done.length - saved) +
      " not saved; every two methods met at least " + rounds + (rounds === 1 ? " time." : " times.");
    undo.disabled = keep.disabled = !done.length;
    pane.textContent = own ? "" : "All pairs are judged. Save the votes.";
    if (!own) { return; }
    var one = ballot.cases[own.place];
    own.sides.forEach(function (fill, side) {
      pane.append(figure(one, fill[2], fill[3], side ? "Right" : "Left"));
    });
    if (hole.checked && one.hole) { pane.append(figure(one, one.hole, one.photo, "Photo, hole marked")); }
    Promise.allSettled(Array.from(pane.querySelectorAll("img"), function (image) {
      return image.decode();
    })).then(function () { if (own === shown) { since = performance.now(); } });
  }

  function choose(choice) {
    if (!shown || !since) { return; }  // not before both can be seen
    done.push({
      pair: shown, left: shown.sides[0][1], right: shown.sides[1][1], choice: choice,
      ms: Math.round(performance.now() - since), at: new Date().toISOString()
    });
    move(1, next);
  }

  function back() {
    if (!done.length) { return; }
    if (shown) { pairs.push(shown); }
    shown = done.pop().pair;
    saved = Math.min(saved, done.length);
    move(-1, function () { return shown; });
  }

  function move(by, then) {
    met[shown.met] += by;
    seen[shown.place] += by;
    shown = then();
    show();
  }

  function save() {
    var text = JSON.stringify({
      format: ballot.format, run: ballot.run, voter: voter.value, session: session, seed: seed, votes: done
    }, function (key, value) { return key === "pair" ? undefined : value; }, 1);
    var address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
    element("a", { href: address, download: "votes-" + session + ".json" }).click();
    saved = done.length;
    show();
  }

  function button(words, act) {
    return element("button", { type: "button", textContent: words, onclick: act });
  }

  var ways = [["ArrowLeft", "left", "← Left"], ["ArrowDown", "equal", "↓ Equal"],
    ["ArrowRight", "right", "Right →"], ["s", "skip", "Skip (s)"]];
  var undo = button("Undo (z)", back), keep = button("Save votes", save);
  var pane = element("div", { className: "pair" }), told = element("p", { className: "small", role: "status" });
  var hole = element("input", { type: "checkbox", onchange: show });
  var voter = element("input", { type: "text", maxLength: 60 });

  addEventListener("keydown", function (event) {
    if (event.target === voter || event.ctrlKey || event.altKey || event.metaKey) { return; }
    var way = ways.find(function (each) { return each[0] === event.key; });
    var act = way ? function () { choose(way[1]); } : { z: back, h: function () { hole.click(); } }[event.key];
    if (act) { act(); event.preventDefault(); }
  });
  addEventListener("beforeunload", function (event) {
    if (done.length > saved) { event.preventDefault(); }
  });

  document.getElementById("booth").replaceChildren(
    pane,
    element("div", { className: "tools" }, ways.map(function (way) {
      return button(way[2], function () { choose(way[1]); });
    }).concat(undo)),
    told,
    element("div", { className: "tools" }, [
      element("label", {}, [hole, " Photo with the hole (h)"]),
      element("label", {}, ["Your name, if you like ", voter]), keep
    ])
  );
  shown = next();
  show();
})();
