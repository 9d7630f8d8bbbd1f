from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from features.errors import SettingsError
from features.training_set import FAMILIES
from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.foundation.settings.plays import CODES, DEFAULT, REASONS, load, with_own
from tests.pipelines.foundation.own_indicators.test_rules import FAMILY as OWN

PLAY = """
[[plays]]
code = "call"
for = ["support", "nps"]
name.en = "Call"
name.fr = "Appel"
advice.en = "Call today."
advice.fr = "Appeler aujourd'hui."
contact_cost = 4.0
success_rate = 0.3
"""


PHRASES = (
    "there is no such setting.",
    "is no family of reasons and no reason code.",
    "name a reason, or delete the play",
    "name a band, or delete the play",
    "is no indicator with a number; `attrition indicators` lists them.",
    "must be small letters, digits and _, a letter first",
)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "plays.toml"


def complaint(file: Path, text: str) -> str:
    """What is said of a file, without the line that names it."""
    file.write_text(text, encoding="utf-8")
    with pytest.raises(SettingsError) as caught:
        load(file)
    first, _, rest = str(caught.value).partition("\n")
    assert first == f"{file}:"
    return rest


def test_every_reason_leads_to_a_play() -> None:
    reached = {code for play in load(DEFAULT) for code in play.codes}
    assert reached == {code for family in FAMILIES for code in family.reasons}


def test_families_and_reason_codes_have_no_name_in_common() -> None:
    assert set(REASONS) & CODES == set()


def test_the_plays_that_ship_can_pay_and_are_said_in_one_line_of_each_language() -> None:
    for play in load(DEFAULT):
        assert play.success_rate * 1_000 > play.contact_cost + play.offer_cost, play.code
        for language in ("en", "fr"):
            said = play.words(language)
            assert "\n" not in said, play.code
            assert 40 < len(said) < 200, play.code
            assert said.endswith("."), play.code


def test_every_setting_of_a_play_is_explained_in_the_file_that_ships() -> None:
    comments = [line for line in DEFAULT.read_text(encoding="utf-8").splitlines() if line.startswith("# ")]
    explained = {word for line in comments for word in line[2:].split("  ")[0].split(", ")}
    used = {key for play in tomllib.loads(DEFAULT.read_text(encoding="utf-8"))["plays"] for key in play}
    assert used <= explained
    assert {"capacity_per_week", "min_value_at_risk", "offer_cost"} <= used


def test_the_fields_that_destinations_have_hold_a_play() -> None:
    assert {"recommended_play", "recommended_play_code", "treatment_group"} <= set(FIELDS)


def test_a_play_with_its_defaults(file: Path) -> None:
    file.write_text(PLAY)
    (play,) = load(file)
    assert (play.code, play.reasons, play.offer_cost, play.capacity_per_week) == ("call", ("support", "nps"), 0.0, None)
    assert (play.cool_down_days, play.bands, play.min_value_at_risk) == (30, ("medium", "high"), None)
    assert play.codes == REASONS["support"] | {"nps"}
    assert (play.words("en"), play.words("fr")) == ("Call: Call today.", "Appel\u00a0: Appeler aujourd'hui.")
    assert (play.economics.contact_cost, play.economics.offer_cost, play.economics.success_rate) == (4.0, 0.0, 0.3)


def test_a_play_names_what_it_needs_by_lookback_and_by_several_of_which_one_is_enough(file: Path) -> None:
    file.write_text(PLAY + 'needs = { orders_90d = 2, "customer_age_days|subscription_age_days" = 365.5 }\n')
    (play,) = load(file)
    assert dict(play.needs) == {"orders_90d": 2.0, "customer_age_days|subscription_age_days": 365.5}


@pytest.mark.parametrize("text", ["", "# nothing yet\n"])
def test_a_file_without_plays_has_none(file: Path, text: str) -> None:
    file.write_text(text)
    assert load(file) == ()


def test_where_there_is_no_file_there_are_no_plays(file: Path) -> None:
    assert load(file) == ()


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        (PLAY + "capacity_per_wek = 3\n", "  plays.0.capacity_per_wek: {0} Did you mean 'capacity_per_week'?"),
        (PLAY + "name.de = 'Anruf'\n", "  plays.0.name.de: {0}"),
        ("[[play]]\n", "  play: {0} Did you mean 'plays'?"),
        (PLAY.replace('"nps"', '"suport"'), "  plays.0.for: 'suport' {1} Did you mean 'support'?"),
        (PLAY.replace('["support", "nps"]', "[]"), "  plays.0.for: is empty, so nothing calls for the play; {2}"),
        (PLAY + "bands = []\n", "  plays.0.bands: is empty, so nobody may get the play; {3}"),
        (PLAY.replace("success_rate = 0.3", ""), "  plays.0.success_rate: is missing"),
        (PLAY.replace("0.3", "1.0"), "  plays.0.success_rate: must be less than 1"),
        (PLAY.replace("4.0", "-4.0"), "  plays.0.contact_cost: must be greater than or equal to 0"),
        (PLAY.replace("4.0", "inf"), "  plays.0.contact_cost: must be a finite number"),
        (PLAY + "capacity_per_week = 0\n", "  plays.0.capacity_per_week: must be greater than or equal to 1"),
        (PLAY + 'bands = ["hihg"]\n', "  plays.0.bands.0: must be 'low', 'medium' or 'high'"),
        (PLAY.replace('"call"', '"Call me"'), "  plays.0.code: {5}"),
        (
            PLAY + "needs = { customer_age_day = 365 }\n",
            "  plays.0.needs: 'customer_age_day' {4} Did you mean 'customer_age_days'?",
        ),
        (PLAY + 'needs = { "loyalty_points|country" = 1 }\n', "  plays.0.needs: 'country' {4}"),
        (PLAY + "needs = { order_30d = 1 }\n", "  plays.0.needs: 'order_30d' {4} Did you mean 'orders_30d'?"),
        (PLAY + PLAY, "  plays: two plays have the code 'call'; give each a code of its own"),
    ],
)  # fmt: skip
def test_a_mistake_is_refused_with_its_place_and_the_remedy(file: Path, changed: str, said: str) -> None:
    assert complaint(file, changed) == said.format(*PHRASES)


@pytest.mark.parametrize(("content", "said"), [(b"\xff", "is not UTF-8 text"), (b"[[plays]", "is not valid TOML")])
def test_a_file_that_cannot_be_read_is_refused(file: Path, content: bytes, said: str) -> None:
    file.write_bytes(content)
    with pytest.raises(SettingsError, match=said):
        load(file)


def test_a_play_does_not_change_once_it_is_read(file: Path) -> None:
    file.write_text(PLAY)
    with pytest.raises(ValueError, match="frozen"):
        load(file)[0].__setattr__("code", "other")


def test_names_of_a_workspaces_own_indicators_are_judged_once_these_are_loaded(file: Path) -> None:
    file.write_text(PLAY.replace('"support", "nps"', '"visiting", "nps"') + "needs = { visits_30d = 2 }\n")
    (play,) = load(file, own=True)
    (known,) = with_own([play], [OWN])
    assert known.codes == {"visit_frequency", "nps"}  # the family as the codes that it has
    assert known.needs == {"visits_30d": 2.0}
    assert with_own(load(DEFAULT), [OWN])[0].codes == load(DEFAULT)[0].codes
    for old, new, said in (
        ("visiting", "visitng", "plays.0.for: 'visitng' is no family of reasons and no reason code. Did you mean"),
        ("visits_30d", "vists_30d", "plays.0.needs: 'vists_30d' is no indicator with a number; `attrition indicators`"),
    ):
        file.write_text(file.read_text().replace(old, new))
        with pytest.raises(SettingsError) as caught:
            with_own(load(file, own=True), [OWN])
        assert str(caught.value).startswith(f"plays.toml:\n  {said}")
        file.write_text(file.read_text().replace(new, old))


def test_other_mistakes_are_told_at_once_even_so(file: Path) -> None:
    file.write_text(PLAY.replace('"support", "nps"', ""))
    with pytest.raises(SettingsError, match="name a reason, or delete the play"):
        load(file, own=True)
