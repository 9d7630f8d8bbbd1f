"""The real page in a real browser: who has its address uses it, a foreign page in the same browser gets nowhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from playwright.sync_api import BrowserContext, Page

from tests.pipelines.foundation.loopback.page_case import EVIL, Foreign, foreign_page, person_at
from tests.pipelines.schedule.schedule_case import set_schedule
from tests.pipelines.schedule.test_start import ask, at, scheduler
from tests.pipelines.shop_case import make_shop

LAUNCH = (
    'mutation {launchRun(executionParams: {selector: {repositoryName: "__repository__", '
    'repositoryLocationName: "pipelines.schedule.definitions", jobName: "ingest"}, mode: "default"}) '
    "{__typename ... on PythonError {message}}}"
)
RUNS = "{runsOrError {... on Runs {results {jobName}}}}"

# What a foreign page may try, as JavaScript: target is the address of /graphql, change the mutation, read a query. What
# it gives back is what the page got to see.
WAYS = {
    "image": "const i = new Image(); i.src = target + '?query=' + change; await wait(); return i.naturalWidth",
    "script": "return await element('script', 'src', target + '?query=' + change)",
    "style sheet": "return await element('link', 'href', target + '?query=' + change, {rel: 'stylesheet'})",
    "prefetch": "return await element('link', 'href', target + '?query=' + change, {rel: 'prefetch'})",
    "preload": "return await element('link', 'href', target + '?query=' + read, {rel: 'preload', as: 'fetch'})",
    "frame": "const f = await element('iframe', 'src', target + '?query=' + change);"
    "try { return f.contentDocument.body.innerText } catch { return '' }",
    "object": "return await element('object', 'data', target + '?query=' + change)",
    "video": "return await element('video', 'src', target + '?query=' + change)",
    "form by GET": "return await form('GET', 'application/x-www-form-urlencoded')",
    "form as urlencoded": "return await form('POST', 'application/x-www-form-urlencoded')",
    "form as text": "return await form('POST', 'text/plain')",
    "form of parts": "return await form('POST', 'multipart/form-data')",
    "fetch as text": "return await got(fetch(target, {method: 'POST', mode: 'no-cors', credentials: 'include', "
    "headers: {'Content-Type': 'text/plain'}, body}))",
    "fetch as JSON": "return await got(fetch(target, {method: 'POST', credentials: 'include', "
    "headers: {'Content-Type': 'application/json'}, body}))",
    "fetch by GET": "return await got(fetch(target + '?query=' + read, {credentials: 'include'}))",
    "fetch without CORS": "return await got(fetch(target + '?query=' + change, "
    "{mode: 'no-cors', credentials: 'include'}))",
    "beacon as text": "navigator.sendBeacon(target, body); await wait(); return ''",
    "beacon as JSON": "navigator.sendBeacon(target, new Blob([body], {type: 'application/json'})); "
    "await wait(); return ''",
    "request of old": "const x = new XMLHttpRequest(); x.open('POST', target); x.withCredentials = true; "
    "x.setRequestHeader('Content-Type', 'text/plain'); x.send(body); await wait(); return x.responseText",
    "web socket": "return await new Promise(done => { "
    "const s = new WebSocket(target.replace('http', 'ws'), 'graphql-ws');"
    "s.onopen = () => { s.send(JSON.stringify({type: 'connection_init'}));"
    "s.send(JSON.stringify({id: '1', type: 'start', payload: JSON.parse(body)})) };"
    "s.onmessage = m => done(m.data); s.onerror = s.onclose = () => done(''); setTimeout(() => done(''), 3000) })",
    "events": "return await new Promise(done => { const e = new EventSource(target + '?query=' + read, "
    "{withCredentials: true}); e.onmessage = m => done(m.data); e.onerror = () => done('') })",
    "worker": "const w = new Worker(URL.createObjectURL(new Blob([`importScripts('${target}?query=${change}')`])));"
    "await wait(); w.terminate(); return ''",
    "window": "const w = window.open(target + '?query=' + change); await wait();"
    "try { return w.document.body.innerText } catch { return '' }",
    "page as a whole": "return await got(fetch(target.replace('/graphql', '/'), {credentials: 'include'}))",
}
HELPERS = """
const wait = (ms = 400) => new Promise(done => setTimeout(done, ms));
const got = async answer => { try { return await (await answer).text() } catch { return '' } };
const element = async (name, place, address, more = {}) => {
  const made = Object.assign(document.createElement(name), more);
  made[place] = address; document.body.append(made); await wait(); return made; };
const form = async (method, enctype) => {
  const frame = await element('iframe', 'name', 'into');
  const made = Object.assign(document.createElement('form'), {method, enctype, action: target, target: 'into'});
  for (const [name, value] of enctype === 'text/plain'
      ? [[body.slice(0, -1) + ',"x":"', '"}']] : [['query', decodeURIComponent(change)]]) {
    const field = Object.assign(document.createElement('input'), {type: 'hidden', name, value}); made.append(field); }
  document.body.append(made); made.submit(); await wait();
  try { return frame.contentDocument.body.innerText } catch { return '' } };
"""


@pytest.fixture(scope="module")
def foreign() -> Iterator[int]:
    with foreign_page() as port:
        yield port


@pytest.fixture(scope="module")
def page_address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address that `attrition schedule` prints."""
    folder = make_shop(tmp_path_factory.mktemp("guarded") / "shop")
    set_schedule(folder, ingest="", score="", retrain="")
    with scheduler(folder) as (_, document):
        yield document["url"]


@pytest.fixture(scope="module")
def person(page_address: str) -> Iterator[BrowserContext]:
    with person_at(page_address) as context:
        yield context


def test_who_has_the_address_uses_the_page_and_nothing_of_the_token_stays_in_sight(
    person: BrowserContext, page_address: str
) -> None:
    (page,) = person.pages
    page.goto(at(page_address, "/overview"))
    page.get_by_text("Overview").first.wait_for()
    assert "token" not in page.url
    assert page.evaluate("document.cookie") == ""
    page.goto(at(page_address, "/jobs"))
    page.get_by_text("retrain").first.wait_for()
    found = page.evaluate(
        """async query => (await (await fetch('/graphql', {method: 'POST', body: JSON.stringify({query}),
        headers: {'Content-Type': 'application/json'}})).json()).data""",
        RUNS,
    )
    assert found == {"runsOrError": {"results": []}}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("site", [EVIL, "localhost"], ids=["another site", "another port"])
def test_a_foreign_page_starts_and_reads_nothing(
    person: BrowserContext, page_address: str, foreign: int, site: str, way: str
) -> None:
    seen = _tried(person, f"http://{site}:{foreign}/", way, at(page_address, "/graphql"))
    assert not any(word in seen for word in ("data", "Dagster", "runs")), seen
    assert ask(page_address, RUNS)["runsOrError"]["results"] == []


def test_a_name_that_is_bound_to_this_machine_opens_nothing(person: BrowserContext, page_address: str) -> None:
    page = person.new_page()
    answer = page.goto(page_address.replace("127.0.0.1", EVIL))
    assert answer is not None
    assert (answer.status, "Dagster" in page.content()) == (421, False)
    page.close()


@pytest.mark.parametrize("way", WAYS)
def test_each_way_does_reach_a_server_that_nobody_guards(person: BrowserContext, foreign: int, way: str) -> None:
    Foreign.asked.clear()
    _tried(person, f"http://localhost:{foreign}/", way, f"http://127.0.0.1:{foreign}/graphql")
    assert [path for path in Foreign.asked if path.startswith("/graphql") or way == "page as a whole"]


def _tried(context: BrowserContext, origin: str, way: str, target: str) -> str:
    page: Page = context.new_page()
    page.goto(origin)
    given = {"target": target, "change": quote(LAUNCH), "read": quote(RUNS), "body": json.dumps({"query": LAUNCH})}
    seen = page.evaluate(f"async ({{target, change, read, body}}) => {{ {HELPERS} {WAYS[way]} }}", given)
    for other in context.pages:
        if other is page or other.url.startswith(target):
            other.close()
    return str(seen)
