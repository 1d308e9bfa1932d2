// What the other scripts share. Pages are complete without any of them.
(function () {
  "use strict";

  function element(tag, properties, children) {
    var node = Object.assign(document.createElement(tag), properties);
    (children || []).forEach(function (child) { node.append(child); });
    return node;
  }

  function radios(legend, name, options, changed) {
    return element("fieldset", { className: "switch" }, [
      element("legend", { textContent: legend })
    ].concat(options.map(function (option, index) {
      var input = element("input", { type: "radio", name: name, checked: index === 0 });
      input.addEventListener("change", function () { changed(option.value); });
      return element("label", {}, [input, " " + option.words]);
    })));
  }

  // A menu of what is shown; `changed(index, whether)`.
  function checks(words, options, changed) {
    var boxes = options.map(function (option, index) {
      var input = element("input", { type: "checkbox", defaultChecked: true });
      input.addEventListener("change", function () { changed(index, input.checked); });
      return element("label", {}, [input, " " + option]);
    });
    return element("details", { className: "menu" }, [
      element("summary", { textContent: words })
    ].concat(boxes));
  }

  // What the page holds for scripts, by the id of its element.
  function data(id) {
    var found = document.getElementById(id);
    return found ? JSON.parse(found.textContent) : null;
  }

  window.report = { element: element, radios: radios, checks: checks, data: data };
})();
