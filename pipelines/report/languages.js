// The page in its other language: it lies in a template, and takes the place of what is shown.
const shown = document.getElementById("edition"), other = document.getElementById("other-edition");
const editions = [{ language: document.documentElement.lang, title: document.title, content: null }];
let edition = 0;

function start() {
  list = dataOf("list");
  kept = null;
  if (!list) return;
  startList();
  show();
  const button = document.getElementById("other-language");
  if (!button) return;
  button.hidden = false;
  button.addEventListener("click", changeLanguage);
}

function changeLanguage() {
  const asked = [...document.querySelectorAll("#list-tools :is(input, select)")].map((field) => field.value);
  edition = 1 - edition;
  const { language, title: named, content } = editions[edition];
  document.documentElement.lang = language;
  title = named;
  if (!wanted()) document.title = named;
  shown.replaceChildren(content.cloneNode(true));
  document.querySelectorAll("#list-tools :is(input, select)").forEach((field, k) => { field.value = asked[k]; });
  start();
  document.getElementById("other-language").focus({ preventScroll: true });
}

if (other) {
  // As it came, before anything is made of it: each change begins anew.
  editions[0].content = document.createDocumentFragment();
  editions[0].content.append(...[...shown.childNodes].map((node) => node.cloneNode(true)));
  editions.push({ language: other.lang, title: other.dataset.title, content: other.content });
}
addEventListener("hashchange", show);
start();
