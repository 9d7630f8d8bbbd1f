"use strict";
// Everything is written as text and attributes, never as HTML: what a source holds stays text.

function element(name, attributes = {}, ...inside) {
  const svg = ["svg", "g", "path", "circle", "rect", "line", "text", "title"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("--")) made.style.setProperty(key, value);
    else made.setAttribute(key, value);
  }
  made.append(...inside);
  return made;
}

// What is the same in both languages stands once in the page, the rest in each edition.
function dataOf(name) {
  const found = [`${name}-data`, `${name}-words`].map((id) => document.getElementById(id));
  return found.includes(null) ? null : Object.assign({}, ...found.map((each) => JSON.parse(each.textContent)));
}

// As the rest of the page writes numbers (numbers.py): thin spaces in French, a minus that is no hyphen.
function numberWriter(language) {
  const made = {};
  return (value, decimals = 0) => {
    made[decimals] ??= new Intl.NumberFormat(language, {
      minimumFractionDigits: decimals, maximumFractionDigits: decimals, signDisplay: "negative",
    });
    return made[decimals].format(value).replace(/\u00a0/g, "\u202f").replace("-", "\u2212");
  };
}

function filled(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}
