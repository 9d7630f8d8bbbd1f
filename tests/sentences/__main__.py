"""Judge every reason of the customers that a simulated company and a shop list, in both languages; last line: counts.

python -m tests.sentences --customers 500 --folder sentences
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

from tests.sentences.judging import Judged, counts
from tests.sentences.published import judged, refuse_another_report, truth_of
from tests.sentences.reading import LANGUAGES
from tests.sentences.workspaces import cdnow, company, scored, trained

SHOWN = 20


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--customers", type=int, default=500, help="listed ones, of each workspace")
    arguments.add_argument(
        "--folder", type=Path, help="where the workspaces are made, and found again; else none stays"
    )
    wanted = arguments.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = wanted.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        found = [
            each
            for place in (company(folder / "company", customers=wanted.customers), cdnow(folder / "shop"))
            for each in of_workspace(place, wanted.customers)
        ]
    print(counts(found))
    return 1 if any(each.fault for each in found) else 0


def of_workspace(place: Path, customers: int) -> list[Judged]:
    trained(place)
    truth, found = None, []
    for language in LANGUAGES:
        given = scored(place, language, report=True)
        assert refuse_another_report(place), "the report lists nobody"
        truth = truth or truth_of(place)
        said = judged(given, customers, truth)
        print(f"{place.name}, {language}, {customers} customers: {counts(said)}", flush=True)
        for each in [each for each in said if each.fault][:SHOWN]:
            print(f"  {each.fault}: {each.reason.code}: {each.reason.text} ({each.why})")
        found += said
    return found


if __name__ == "__main__":
    sys.exit(main())
