// What the other scripts share. Pages are complete without any of them.
window.report = (() => {
  "use strict";

  const element = (tag, properties, children = []) => {
    const node = Object.assign(document.createElement(tag), properties);
    node.append(...children);
    return node;
  };

  const all = (selector, inside = document) => [...inside.querySelectorAll(selector)];

  // What the page holds for scripts, by the id of its element.
  const data = id => JSON.parse(document.getElementById(id)?.textContent || "null");

  const option = (words, properties, changed) => {
    const input = element("input", { ...properties, onchange: () => changed(input.checked) });
    return element("label", {}, [input, " " + words]);
  };

  const radios = (legend, name, options, changed) => element("fieldset", { className: "switch" }, [
    element("legend", { textContent: legend }),
    ...options.map(({ words, value }, index) =>
      option(words, { type: "radio", name, checked: index === 0 }, () => changed(value)))
  ]);

  // A menu of what is shown; `changed(index, whether)`.
  const checks = (words, options, changed) => element("details", { className: "menu" }, [
    element("summary", { textContent: words }),
    ...options.map((each, index) =>
      option(each, { type: "checkbox", defaultChecked: true }, on => changed(index, on)))
  ]);

  // The number that a cell stands for, NaN if none.
  const value = ({ dataset }) => dataset.value === "inf" ? Infinity : parseFloat(dataset.value);

  // Puts rows in the order of a key, with sign -1 the largest first; those without one last.
  const sort = (rows, key, sign) => rows[0]?.parentNode.append(...rows.slice().sort((a, b) => {
    const x = key(a), y = key(b);
    return isNaN(x) - isNaN(y) || sign * (x - y) || 0;
  }));

  return { element, all, data, radios, checks, value, sort };
})();
