"""`make bench`: every promised figure beside its bound; exit code 1 where one is missed."""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import pandas as pd

from benchmarks import (
    cluster,
    growth,
    ingest,
    leaks,
    outcomes,
    plays_simulated,
    protocols,
    scoring,
    shops,
    simulated,
    small,
    snapshots_report,
    training,
    workspaces,
)
from benchmarks.report import Report
from features.outcomes import OUTCOMES
from pipelines.foundation.simulation.people import FAMILIES

# Each family is left without effect once. Those that tell of each other go together: points and returned products tell
# of orders, overdue invoices of payments that failed, a dearer renewal of what competitors ask, and that of the plan,
# as incidents do.
HALVES = (
    ("purchases", "loyalty", "quality", "market", "billing", "payment"),
    ("support", "usage", "engagement", "satisfaction", "messages", "subscription", "profile"),
)
SHARED = Path(__file__).parent.parent.parent / "shared" / "data"


def main() -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="parts to measure")
    sets = list(protocols.SETS)
    parser.add_argument("--sets", nargs="+", choices=sets, default=sets, help="data sets, with `quality`")
    parser.add_argument("--rows", type=int, default=1_000_000, help="customers scored for the cost ratio")
    parser.add_argument("--events", type=int, default=20_000_000, help="uses of which snapshots are made")
    parser.add_argument("--orders", type=int, default=10_000_000, help="orders of the file that is landed")
    parser.add_argument("--customers", type=int, default=20_000, help="customers of the simulated company")
    parser.add_argument("--seeds", nargs="+", type=int, default=[11, 12, 13], help="of companies, with `outcomes`")
    parser.add_argument("--shops", type=int, default=20, help="simulated shops of each kind, with `shops`")
    parser.add_argument("--simulations", type=int, default=1_000, help="of plays with a known effect, for each setting")
    parser.add_argument("--data", type=Path, default=SHARED, help="folder of the data sets that do not ship")
    parser.add_argument("--tests", action="store_true", help="with `small`: also run `make test`, of which it tells")
    parser.add_argument("--json", action="store_true", help="one JSON document on stdout")
    chosen = parser.parse_args()
    report = Report()
    with tempfile.TemporaryDirectory() as folder:
        for name in chosen.only:
            PARTS[name](report, Path(folder), chosen)
    report.print(as_json=chosen.json)
    return int(report.missed)


def _quality(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    protocols.promise(report, folder, chosen.data, sets=chosen.sets)


def _scoring(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    if not (folder / "cdnow").exists():
        workspaces.cdnow(folder / "cdnow")
    cost = scoring.cost(folder / "cdnow", rows=chosen.rows)
    name = f"scores and reasons of {cost.rows:,} customers over bare predict ({cost.trees} trees)"
    report.row(name, cost.ratio, 15, at_least=False)
    report.note(f"predict {cost.predict_seconds:.2f} s, scores and reasons {cost.score_seconds:.2f} s")


def _snapshots(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    snapshots_report.promise(report, folder, events=chosen.events)


def _ingest(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    ingest.promise(report, folder / "ingest", orders=chosen.orders)


def _simulated(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    for cohort in simulated.COHORTS:
        place = folder / cohort
        simulated.company(place, customers=chosen.customers, months=36, seed=7)
        found = simulated.found(place, cohort, folds=3)
        report.row(f"simulated {cohort}: share of the truth's skill", found.skill, 0.95, at_least=True)
        for fold in found.folds:
            report.note(f"{fold.day}: ROC AUC {fold.model:.4f}, the truth's {fold.truth:.4f}, {fold.rows:,} customers")
        if cohort == "contract":
            report.row("simulated contract: calibration slope", found.judged[0].slope, 0.9, at_least=True)
            report.row("simulated contract: calibration slope", found.judged[0].slope, 1.1, at_least=False)
        for judged in found.judged:
            _outcome(report, judged)


def _outcome(report: Report, judged: simulated.Judged) -> None:
    model, best, name = judged.model, judged.best, f"simulated {judged.kind} ({judged.positives:,} positives)"
    report.row(f"{name}: ROC AUC, to the best baseline's", model["roc_auc"], best["roc_auc"], at_least=True)
    report.row(f"{name}: log loss, to the best baseline's", model["log_loss"], best["log_loss"], at_least=False)
    if OUTCOMES[judged.kind].revenue == "lost":
        for share, (by_money, by_probability) in judged.reached.items():
            report.row(
                f"{name}: lost revenue in the first {share:.0%} by money, to that by probability",
                by_money,
                by_probability,
                at_least=True,
            )
    report.note(f"{judged.kind}: calibration slope {judged.slope:.3f}; families: {_listed(judged.families)}")


def _outcomes(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    outcomes.promise(report, folder, customers=chosen.customers, seeds=chosen.seeds)


def _shops(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    shops.promise(report, folder / "shops", shops=chosen.shops)


def _families(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    for number, without in enumerate(HALVES):
        place = folder / f"without-{number}"
        simulated.company(place, customers=chosen.customers, months=36, seed=7, without=without)
        families = simulated.found(place, "contract", also=False).judged[0].families
        weakest = min(families.get(name, 0.0) for name in FAMILIES if name not in without)
        strongest = max(families.get(name, 0.0) for name in without)
        report.row(
            f"simulated contract, {len(without)} families without effect: the strongest over the weakest planted one",
            strongest / weakest,
            1.0,
            at_least=False,
        )
        report.note(f"without effect of {', '.join(without)}: {_listed(families)}")


def _listed(families: pd.Series) -> str:
    return ", ".join(f"{name} {size:.3f}" for name, size in families.items())


def _forecasts(report: Report, folder: Path, _chosen: argparse.Namespace) -> None:
    found = simulated.forecasts(folder / "forecasts", months=40, customers=4_000, seed=11)
    for name, share in found["coverage"].items():
        report.row(f"{name}: share of {len(found['past'])} intervals that held what came", share, 0.85, at_least=True)
        report.row(f"{name}: share of {len(found['past'])} intervals that held what came", share, 0.95, at_least=False)
        report.note(f"mean absolute error of {name}: {found['error'][name]:.4f}")


def _impact(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    everybody = plays_simulated.people(folder / "plays", customers=chosen.customers)
    for setting in plays_simulated.SETTINGS:
        found = plays_simulated.found(everybody, setting, simulations=chosen.simulations, seed=11)
        count = len(found.customers)
        for name, held in (("customers", found.customers), ("money", found.money)):
            figure = f"impact, {setting.name}: share of {count} intervals of {name} that held the truth"
            report.row(figure, float(held.mean()), 0.93, at_least=True)
            report.row(figure, float(held.mean()), 0.97, at_least=False)
        if setting.factor == 1:
            quiet = 1 - float(found.shown.mean())
            report.row(f"impact, {setting.name}: share that is called so", quiet, 0.93, at_least=True)
        else:
            report.note(f"impact, {setting.name}: an effect is shown in {found.shown.mean():.0%}")


def _leaks(report: Report, folder: Path, _chosen: argparse.Namespace) -> None:
    leaking = leaks.leaking_ones(folder / "exports", leaks.REPORTED)
    honest = leaks.honest_ones(folder / "exports", leaks.REPORTED)
    for name, exports, of_60, at_least in (("leaking", leaking, 57, True), ("honest", honest, 2, False)):
        stopped, many = sum(each.stopped for each in exports), len(exports)
        report.row(f"simulated: of {many} {name} exports stop promotion", stopped, of_60 * many / 60, at_least=at_least)
    for line in leaks.in_words(leaking, honest):
        report.note(line)


def _small(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    small.promise(report, folder / "small", tests=chosen.tests)


def _training(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    training.promise(report, folder / "training", customers=chosen.customers)


def _growth(report: Report, folder: Path, _chosen: argparse.Namespace) -> None:
    growth.promise(report, folder / "growth")


def _cluster(report: Report, folder: Path, chosen: argparse.Namespace) -> None:
    cluster.promise(report, folder, customers=chosen.customers, events=chosen.events)


PARTS = {
    "small": _small,
    "leaks": _leaks,
    "quality": _quality,
    "scoring": _scoring,
    "snapshots": _snapshots,
    "training": _training,
    "ingest": _ingest,
    "simulated": _simulated,
    "outcomes": _outcomes,
    "families": _families,
    "shops": _shops,
    "forecasts": _forecasts,
    "impact": _impact,
    "growth": _growth,
    "cluster": _cluster,
}

if __name__ == "__main__":
    sys.exit(main())
