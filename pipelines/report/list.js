// The list of customers: searched, filtered, sorted, a page at a time. Without this script its first rows stand there.
const PAGE = 50;
let list = null;

function startList() {
  const words = list.words, number = numberWriter(words.language);
  const table = document.getElementById("most-at-risk"), body = table.tBodies[0];
  const search = document.getElementById("list-search"), count = document.getElementById("list-count");
  const before = document.getElementById("list-before"), after = document.getElementById("list-after");
  const heads = [...table.tHead.rows[0].cells], filters = [...document.querySelectorAll("[data-filter]")];
  const labels = new Map(heads.map((head) => [head.dataset.column, head.textContent]));
  const plain = (text) => text.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
  const everybody = Int32Array.from(list.id, (_, row) => row);
  let folded, column = "rank", up = true, order = everybody, found = everybody, start = 0;

  // What each column is sorted by; where it is equal, or not known, priority decides.
  const collator = new Intl.Collator(words.language, { numeric: true });
  const ranks = (texts) => {
    const places = new Int32Array(texts.length);
    [...texts.keys()].sort((a, b) => collator.compare(texts[a], texts[b])).forEach((at, place) => { places[at] = place; });
    return places;
  };
  const placed = (texts, places) => {
    const rank = ranks(texts);
    return places.map((place) => (place < 0 ? null : rank[place]));
  };
  const keys = {
    rank: () => everybody,
    customer: () => ranks(list.id),
    value: () => list.value,
    probability: () => list.share,
    band: () => [...list.band].map(Number),
    trend: () => [...list.trend].map((digit) => (digit === "-" ? null : Number(digit))),
    play: () => placed(list.plays, list.play),
    reasons: () => placed(list.texts, list.why[0]),
  };
  const sorted = {};

  function sort() {
    const key = (sorted[column] ??= Array.from(keys[column]()));
    const sign = up ? 1 : -1;
    order = everybody.slice().sort((a, b) => {
      if (key[a] === key[b]) return a - b;
      if (key[a] === null || key[b] === null) return key[a] === null ? 1 : -1;
      return sign * (key[a] - key[b]);
    });
    for (const head of heads) {
      head.setAttribute("aria-sort", head.dataset.column !== column ? "none" : up ? "ascending" : "descending");
    }
  }

  function find() {
    const wanted = plain(search.value.trim());
    if (wanted) folded ??= { id: list.id.map(plain), texts: list.texts.map(plain) };
    const said = wanted && folded.texts.map((text) => text.includes(wanted));
    const chosen = filters.filter((filter) => filter.value !== "").map((filter) => [columnOf(filter), filter.value]);
    found = order.filter((row) =>
      chosen.every(([values, value]) => String(values[row]) === value)
      && (!wanted || folded.id[row].includes(wanted) || list.why.some((why) => why[row] >= 0 && said[why[row]])));
    start = 0;
    draw();
  }

  function columnOf(filter) {
    const name = filter.dataset.filter;
    return name.startsWith("segment") ? list.segments[Number(name.slice(7))].of : list[name];
  }

  function cell(name, row) {
    const band = Number(list.band[row]), shade = `var(--${["low", "medium", "high"][band]})`;
    const labelled = { class: name, "data-label": labels.get(name) };
    switch (name) {
      case "rank": return element("td", { class: "rank" }, number(row + 1));
      case "customer": return element("th", { scope: "row" }, customerName(row));
      case "value": return element("td", labelled, amount(list.value[row], words, number));
      case "probability": {
        const bar = { class: "share", "--is": shade, "--share": `${list.share[row] / 10}%` };
        return element("td", { class: "chance" }, element("span", bar, percent(list.share[row], words, number)));
      }
      case "band":
        return element("td", { class: "band" }, element("i", { class: "dot", "--is": shade }), words.bands[band]);
      case "trend": return element("td", labelled, words.trends[Number(list.trend[row])] ?? words.nothing);
      case "play": return element("td", labelled, list.plays[list.play[row]] ?? words.nothing);
      default: return element("td", { class: "why" }, reasons(row));
    }
  }

  function reasons(row) {
    const texts = list.why.map((why) => list.texts[why[row]]).filter(Boolean);
    if (!texts.length) return element("span", { class: "soft" }, words.no_reason);
    return element("ol", {}, ...texts.map((text) => element("li", {}, text)));
  }

  function draw() {
    const shown = [...found.slice(start, start + PAGE)];
    body.replaceChildren(...shown.map((row) => element("tr", {}, ...heads.map((head) => cell(head.dataset.column, row)))));
    const figures = { first: start + 1, last: start + shown.length, found: found.length, all: list.id.length };
    for (const name of Object.keys(figures)) figures[name] = number(figures[name]);
    count.textContent = shown.length ? filled(words.count, figures) : words.none;
    // Not `disabled`: whoever pressed the key would lose the place on the page.
    before.setAttribute("aria-disabled", start === 0);
    after.setAttribute("aria-disabled", start + PAGE >= found.length);
  }

  function turn(by) {
    if (start + by < 0 || start + by >= found.length) return;
    start += by;
    draw();
    table.scrollIntoView({ block: "start" });
  }

  for (const head of heads) {
    const button = element("button", { type: "button" }, head.textContent);
    button.addEventListener("click", () => {
      up = head.dataset.column === column ? !up : !["value", "probability", "band", "trend"].includes(head.dataset.column);
      column = head.dataset.column;
      sort();
      find();
    });
    head.replaceChildren(button);
  }
  let waiting;
  search.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(find, 120);
  });
  for (const filter of filters) filter.addEventListener("change", find);
  before.addEventListener("click", () => turn(-PAGE));
  after.addEventListener("click", () => turn(PAGE));
  for (const id of ["list-tools", "list-pages"]) document.getElementById(id).hidden = false;
  document.getElementById("list-static")?.remove();
  sort();
  find();
}

function customerName(row) {
  return element("a", { href: `#customer=${encodeURIComponent(list.id[row])}` }, element("bdi", {}, list.id[row]));
}

function amount(value, words, number) {
  return value === null ? words.nothing : number(value, Number.isInteger(value) && (Math.abs(value) >= 100 || value === 0) ? 0 : 2);
}

function percent(thousandths, words, number) {
  return thousandths >= 1000 ? words.nearly_sure : number(thousandths / 10, 1) + words.percent;
}
