"""Deliver many records to each destination while calls fail and processes are killed; the last line is the verdict.

python -m tests.deliveries --records 100000 --stops 20 --share 0.1 hubspot salesforce rest postgresql bottlecrm
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tests.deliveries.shop import make
from tests.deliveries.stopping import stopped_and_resumed
from tests.deliveries.targets import AT_MOST, TARGETS


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("names", nargs="*", default=list(TARGETS), metavar="DESTINATION")
    arguments.add_argument("--records", type=int, default=100_000)
    arguments.add_argument("--stops", type=int, default=20, help="processes killed, for each destination")
    arguments.add_argument("--share", type=float, default=0.1, help="of calls that fail")
    arguments.add_argument("--seed", type=int, default=1)
    wanted = arguments.parse_args()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        shop = make(Path(folder) / "shop")
        for name in wanted.names:
            work = Path(folder) / name
            shutil.copytree(shop, work)
            found.append(
                stopped_and_resumed(
                    name,
                    work,
                    records=min(wanted.records, AT_MOST.get(name, wanted.records)),
                    stops=wanted.stops,
                    share=wanted.share,
                    seed=wanted.seed,
                    say=lambda text: print(text, flush=True),
                )
            )
            shutil.rmtree(work)
    for each in found:
        for note in each.notes:
            print(f"{each.name}: {note}")
    stops, lost, doubled, wrong = (
        sum(getattr(each, name) for each in found) for name in ("stops", "lost", "doubled", "wrong")
    )
    print(f"kills {stops}, lost {lost}, doubled {doubled}, wrong {wrong}")
    return 0 if all(each.exact for each in found) else 1


if __name__ == "__main__":
    sys.exit(main())
