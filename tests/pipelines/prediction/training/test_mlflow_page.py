"""`attrition mlflow`: who has its address reads and writes, a foreign page in the same browser gets nowhere."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import mlflow
import pytest
from mlflow import MlflowClient
from playwright.sync_api import BrowserContext

from features.errors import SettingsError
from models.tracking.registry import Registry
from pipelines.foundation.settings.tracking import Tracking
from pipelines.prediction.training.mlflow_page import serve
from tests.pipelines.foundation.loopback.page_case import EVIL, foreign_page, person_at, serving

SEARCH, CREATE = "/ajax-api/2.0/mlflow/experiments/search?max_results=50", "/ajax-api/2.0/mlflow/experiments/create"
PLANT = json.dumps({"name": "planted"})
JSON = {"Content-Type": "application/json"}

# What a foreign page may try, as JavaScript. What it gives back is what the page got to see.
HELPERS = """
const wait = (ms = 400) => new Promise(done => setTimeout(done, ms));
const got = async answer => { try { return await (await answer).text() } catch { return '' } };
const post = (type, mode) => got(fetch(create, {method: 'POST', mode, credentials: 'include', body: plant,
  headers: {'Content-Type': type}}));
"""
WAYS = {
    "fetch as JSON": "return await post('application/json', 'cors')",
    "fetch as text": "return await post('text/plain', 'no-cors')",
    "fetch by GET": "return await got(fetch(search, {credentials: 'include'}))",
    "fetch without CORS": "return await got(fetch(search, {mode: 'no-cors', credentials: 'include'}))",
    "beacon": "navigator.sendBeacon(create, new Blob([plant], {type: 'application/json'})); await wait(); return ''",
    "form": "const f = Object.assign(document.createElement('form'), {method: 'POST', enctype: 'text/plain', "
    "action: create, target: 'into'}); const i = Object.assign(document.createElement('input'), {name: "
    "plant.slice(0, -1) + ',\"x\":\"', value: '\"}'}); f.append(i); document.body.append(f); f.submit(); "
    "await wait(); return ''",
    "frame": "const f = document.createElement('iframe'); f.src = search; document.body.append(f); await wait(); "
    "try { return f.contentDocument.body.innerText } catch { return '' }",
    "script": "const s = document.createElement('script'); s.src = search; document.body.append(s); await wait(); "
    "return ''",
    "window": "const w = window.open(search); await wait(); try { return w.document.body.innerText } catch "
    "{ return '' } finally { w && w.close() }",
}


@contextmanager
def page_of(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A real `attrition mlflow`, and the address that it tells."""
    command = str(Path(sys.executable).with_name("attrition"))
    with serving([command, "mlflow", "--project", str(folder), "--json"]) as (process, document):
        yield process, document["url"]


@pytest.fixture(scope="module")
def page(finished_workspace: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = shutil.copytree(finished_workspace, tmp_path_factory.mktemp("page") / "moved")
    with page_of(folder) as (_, url):
        yield url


def token(url: str) -> str:
    return parse_qs(urlsplit(url).query)["token"][0]


def ask(url: str, path: str, *, body: str | None = None, **headers: str) -> tuple[int, str]:
    """What the page answers to a program, which tells the token only where `headers` do."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    asked = urllib.request.Request(urljoin(url, path), None if body is None else body.encode(), given)
    try:
        with urllib.request.urlopen(asked, timeout=30) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        with refused:
            return refused.code, refused.read().decode()


def names(url: str) -> set[str]:
    status, text = ask(url, SEARCH, Authorization=f"Bearer {token(url)}")
    assert status == 200
    return {each["name"] for each in json.loads(text)["experiments"]}


def test_a_program_with_the_token_reads_writes_and_loads_figures(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", token(page))
    client = MlflowClient(tracking_uri=urljoin(page, "/").rstrip("/"))
    version = client.get_model_version_by_alias("attrition", "champion")
    run = client.get_run(version.run_id or "")
    assert run.data.metrics["log_loss"] > 0
    client.set_registered_model_tag("attrition", "looked at", "yes")
    assert client.get_registered_model("attrition").tags["looked at"] == "yes"
    status, text = ask(
        page,
        f"/get-artifact?path=model_card.md&run_uuid={run.info.run_id}",
        Authorization=f"Bearer {token(page)}",
    )
    assert (status, text.startswith("# Model card")) == (200, True)
    status, text = ask(
        page,
        f"/ajax-api/2.0/mlflow/artifacts/list?run_id={run.info.run_id}&path=plots",
        Authorization=f"Bearer {token(page)}",
    )
    assert "plots/shap-summary.svg" in {each["path"] for each in json.loads(text)["files"]}


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Authorization": "Bearer other"}, 403),
        ({"Authorization": "Bearer {token}", "Origin": "http://localhost:5000"}, 403),
        ({"Authorization": "Bearer {token}", "Origin": "https://evil.example"}, 403),
        ({"Authorization": "Bearer {token}", "Origin": "null"}, 403),
        ({"Authorization": "Bearer {token}", "Sec-Fetch-Site": "same-site"}, 403),
        ({"Authorization": "Bearer {token}", "Host": "evil.example"}, 421),
        ({"Cookie": "attrition_{port}={token}"}, 403),
    ],
    ids=["nobody", "another token", "another port", "another site", "from nowhere", "a page", "a name", "no origin"],
)
def test_without_the_address_or_from_elsewhere_nothing_is_read_or_written(
    page: str, headers: dict[str, str], status: int
) -> None:
    given = {name: value.format(token=token(page), port=urlsplit(page).port) for name, value in headers.items()}
    assert ask(page, CREATE, body=PLANT, **JSON, **given)[0] == status
    if "Cookie" not in headers:  # which may read by itself: a browser would say where it comes from
        found, text = ask(page, SEARCH, **given)
        assert (found, "experiments" in text) == (status, False)
    assert "planted" not in names(page)


@pytest.fixture(scope="module")
def foreign() -> Iterator[int]:
    with foreign_page() as port:
        yield port


@pytest.fixture(scope="module")
def person(page: str) -> Iterator[BrowserContext]:
    with person_at(page) as context:
        yield context


def test_the_address_opens_where_the_runs_are_and_the_token_is_out_of_sight(person: BrowserContext, page: str) -> None:
    (shown,) = person.pages
    shown.get_by_text("matching runs").first.wait_for(timeout=60_000)
    shown.get_by_text("Model registry").first.wait_for()  # the menu for models
    assert not shown.get_by_text("Agent versions").count()  # which that for agents has
    assert "token" not in shown.url
    assert "/runs?" in shown.url
    assert shown.evaluate("document.cookie") == ""
    made = shown.evaluate(
        """async name => (await fetch('/ajax-api/2.0/mlflow/experiments/create', {method: 'POST',
        headers: {'Content-Type': 'application/json'}, body: JSON.stringify({name})})).status""",
        "made by the person",
    )
    assert made == 200
    assert "made by the person" in names(page)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("site", [EVIL, "localhost"], ids=["another site", "another port"])
def test_a_foreign_page_reads_and_writes_nothing(
    person: BrowserContext, page: str, foreign: int, site: str, way: str
) -> None:
    tab = person.new_page()
    tab.goto(f"http://{site}:{foreign}/")
    given = {"search": urljoin(page, SEARCH), "create": urljoin(page, CREATE), "plant": PLANT}
    seen = tab.evaluate(f"async ({{search, create, plant}}) => {{ {HELPERS} {WAYS[way]} }}", given)
    tab.close()
    assert "experiment" not in str(seen)
    assert "planted" not in names(page)


def test_a_name_that_is_bound_to_this_machine_opens_nothing(person: BrowserContext, page: str) -> None:
    tab = person.new_page()
    answer = tab.goto(page.replace("127.0.0.1", EVIL))
    assert answer is not None
    assert answer.status == 421
    tab.close()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_it_cleanly(finished_workspace: Path, tmp_path: Path, number: signal.Signals) -> None:
    folder = shutil.copytree(finished_workspace, tmp_path / "shop")
    with page_of(folder) as (process, url):
        process.send_signal(number)
        _, told = process.communicate(timeout=30)
        assert (process.returncode, "Traceback" in told) == (0, False)
        with pytest.raises(urllib.error.URLError):
            urllib.request.urlopen(url, timeout=2)


def test_where_models_are_kept_on_a_server_it_says_which(tmp_path: Path) -> None:
    def never(_: str) -> None:
        raise AssertionError("no page is to be opened")

    with pytest.raises(SettingsError, match=r"are kept at https://mlflow\.example\.com"):
        serve(Tracking(uri="https://mlflow.example.com"), tmp_path, port=0, started=never)


def test_before_anything_was_published_it_opens_where_experiments_will_be(tmp_path: Path) -> None:
    registry = Registry(uri=f"sqlite:///{tmp_path}/mlflow.sqlite", experiment="attrition", artifacts=tmp_path / "files")
    assert registry.page() == "#/experiments"
    before = mlflow.get_tracking_uri()
    registry._experiment(registry._client())
    assert registry.page() == "#/experiments/1/runs?workflowType=machine_learning"
    assert mlflow.get_tracking_uri() == before
