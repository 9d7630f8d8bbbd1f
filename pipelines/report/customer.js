// A page for each customer, at #customer=ID: what the list says, and what is read only once one is opened.
let kept = null, opened = null, title = document.title;

function wanted() {
  const found = /^#customer=(.*)$/.exec(location.hash);
  if (!found) return null;
  try {
    return decodeURIComponent(found[1]);
  } catch {
    return found[1];
  }
}

function show() {
  const id = wanted(), left = opened, place = document.getElementById("customer");
  opened = id;
  document.body.classList.toggle("one-customer", id !== null);
  place.hidden = id === null;
  document.title = id === null ? title : `${id} \u2013 ${title}`;
  if (id !== null) {
    kept ??= dataOf("customer");
    place.replaceChildren(...customerPage(list.id.indexOf(id), id));
    scrollTo({ top: 0, behavior: "instant" });
    place.querySelector("h2").focus({ preventScroll: true });
  } else if (left !== null) {
    // Back to where one came from; the row may be on another page of the list by now.
    (document.getElementById(location.hash.slice(1)) ?? document.getElementById("customers")).scrollIntoView();
    const link = [...document.querySelectorAll("#most-at-risk tbody a")].find((each) => each.textContent === left);
    (link ?? document.getElementById("list-search")).focus();
  }
}

function customerPage(row, id) {
  const words = kept.words, number = numberWriter(list.words.language);
  const head = [
    element("p", {}, element("a", { href: "#customers" }, words.back)),
    element("h2", { tabindex: "-1" }, element("bdi", {}, id)),
  ];
  if (row < 0) return [...head, element("p", { class: "card notice" }, words.unknown)];
  const summary = filled(words.summary, {
    probability: percent(list.share[row], list.words, number),
    band: list.words.bands[Number(list.band[row])].toLocaleLowerCase(list.words.language),
    value: amount(list.value[row], list.words, number),
  });
  const reasons = list.why.map((why) => list.texts[why[row]]).filter(Boolean).map((text) => element("li", {}, text));
  const cards = [card(words.what_to_do, ...whatToDo(row, words))];
  if (row < kept.kept) cards.push(card(words.course, ...course(row, words, number)));
  if (kept.codes?.length) cards.push(card(words.parts, ...partsOf(row, words, number)));
  if (row < kept.kept && kept.tables.length) cards.push(card(words.events, ...events(row, words, number)));
  if (row >= kept.kept) cards.push(element("p", { class: "card notice" }, words.not_kept));
  return [...head, element("p", { class: "intro" }, summary), element("ul", { class: "told" }, ...reasons),
    element("div", { class: "pages" }, ...cards)];
}

function card(heading, ...inside) {
  return element("div", { class: "card" }, element("h3", {}, heading), ...inside);
}

function whatToDo(row, words) {
  const play = list.plays[list.play[row]];
  if (play === undefined) return [element("p", {}, words.no_play_here)];
  return [element("p", {}, element("b", {}, play)), element("p", {}, kept.advice[play] ?? "")];
}

// The probability on each scored day: a line, and the same in figures.
function course(row, words, number) {
  const days = kept.days.map(([at, day], k) => ({ at, day, share: kept.past[k][row] })).filter((each) => each.share >= 0);
  const rows = days.map((each) => [each.day, percent(each.share, list.words, number)]);
  if (days.length < 2) return [element("p", {}, filled(words.course_once, { day: rows[0]?.[0] ?? "" }))];
  const first = days[0].at, span = days.at(-1).at - first;
  const x = (each) => 44 + (each.at - first) / span * 400, y = (share) => 150 - share / 1000 * 130;
  const scale = [0, 500, 1000].flatMap((share) => [
    element("line", { x1: 40, x2: 450, y1: y(share), y2: y(share), class: "rule" }),
    element("text", { x: 34, y: y(share) + 4, "text-anchor": "end" }, number(share / 10) + list.words.percent)]);
  const limits = kept.bands.map((share, k) => element("line", {
    x1: 40, x2: 450, y1: y(share * 1000), y2: y(share * 1000), class: "limit", "--is": `var(--${["medium", "high"][k]})` }));
  const line = element("path", { class: "course", d: days.map((each, k) => `${k ? "L" : "M"}${x(each)} ${y(each.share)}`).join("") });
  const points = days.map((each, k) =>
    element("circle", { cx: x(each), cy: y(each.share), r: 5, class: "point" }, element("title", {}, rows[k].join(list.words.colon))));
  const ends = [[0, "start"], [days.length - 1, "end"]].map(([k, anchor]) =>
    element("text", { x: x(days[k]), y: 170, "text-anchor": anchor }, days[k].day));
  const label = filled(words.course_label, { first: rows[0].join(list.words.colon), last: rows.at(-1).join(list.words.colon) });
  const drawn = element("svg", { viewBox: "0 0 460 180", role: "img", "aria-label": label, class: "drawn" });
  drawn.append(...scale, ...limits, line, ...points, ...ends);
  return [element("div", { class: "beside" }, drawn, tableOf([words.day, labelOf("probability")], rows))];
}

// What moved the log-odds from those of everybody to the customer's: the largest parts, each from where the last ended.
function partsOf(row, words, number) {
  const values = kept.parts[row];
  if (!values) return [element("p", {}, words.not_explained)];
  const parts = values.map((value, k) => [kept.codes[k], value]).filter(([, value]) => value)
    .sort((a, b) => Math.abs(b[1]) - Math.abs(a[1]));
  const rest = parts.splice(8).reduce((sum, [, value]) => sum + value, 0);
  if (rest) parts.push([words.others, rest]);
  let reached = kept.average;
  const bars = [[words.average, kept.average, 0, reached, "soft"]];
  for (const [label, value] of parts) bars.push([label, value, reached, (reached += value), value > 0 ? "high" : "low"]);
  bars.push([words.sum, reached, 0, reached, "ink"]);
  const low = Math.min(...bars.flatMap(([, , from, to]) => [from, to])), high = Math.max(...bars.flatMap(([, , from, to]) => [from, to]));
  const at = (value) => (value - low) / (high - low || 1) * 100;
  const rows = bars.map(([label, value, from, to, shade], k) => {
    const edges = k && k < bars.length - 1, written = (edges && value > 0 ? "+" : "") + number(value / 100, 2);
    const bar = { class: "part", title: `${label}${list.words.colon}${written}`, "--is": `var(--${shade})`,
      "--from": `${at(Math.min(from, to))}%`, "--size": `${Math.abs(to - from) / (high - low || 1) * 100}%` };
    return [label, element("span", { class: "track" }, element("span", bar)), written];
  });
  return [tableOf([words.code, "", words.adds], rows, "waterfall"), element("p", { class: "reading" }, words.parts_reading)];
}

// How often something happened, by week: small bars, oldest first.
function events(row, words, number) {
  const weeks = kept.weeks.length;
  const rows = kept.tables.map((table, k) => {
    const start = table.per.slice(0, row).reduce((sum, each) => sum + each, 0);
    const found = Array.from({ length: table.per[row] }, (_, k) => [table.week[start + k], table.events[start + k]]);
    const all = found.reduce((sum, [, count]) => sum + count, 0), most = Math.max(1, ...found.map(([, count]) => count));
    const last = found.length ? kept.weeks[Math.min(...found.map(([week]) => week))] : words.never;
    const drawn = element("svg", { viewBox: `0 0 ${weeks * 4} 30`, role: "img", class: "weeks", preserveAspectRatio: "none",
      "aria-label": filled(words.events_label, { events: number(all), week: last }) });
    drawn.append(element("line", { x1: 0, x2: weeks * 4, y1: 29.5, y2: 29.5, class: "rule" }));
    for (const [week, count] of found) {
      const told = element("title", {}, filled(words.week, { week: kept.weeks[week], events: number(count) }));
      const height = 4 + 25 * count / most;
      drawn.append(element("rect", { x: (weeks - 1 - week) * 4, y: 29 - height, width: 3, height }, told));
    }
    return [kept.table_names[k], drawn, number(all), last];
  });
  return [tableOf([words.table, "", words.in_all, words.last_week], rows, "timeline"), element("p", { class: "reading" }, words.events_reading)];
}

function tableOf(heads, rows, name = "") {
  const cells = (row) => row.map((value, k) => (k ? element("td", {}, value) : element("th", { scope: "row" }, value)));
  const head = heads.map((text) => (text ? element("th", { scope: "col" }, text) : element("td")));
  return element("table", { class: name }, element("thead", {}, element("tr", {}, ...head)),
    element("tbody", {}, ...rows.map((row) => element("tr", {}, ...cells(row)))));
}

function labelOf(column) {
  return document.querySelector(`#most-at-risk [data-column=${column}]`).textContent;
}
