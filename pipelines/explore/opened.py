"""What the door opens to: tables, training sets, scores, models and figures of a workspace."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from features.errors import DataError
from models.classifier import ChurnClassifier
from models.frames import SNAPSHOT
from models.matrix import ENTITY
from pipelines.data.kpis.figures import figures as kpi_figures
from pipelines.data.kpis.ground import Ground
from pipelines.data.snapshots.learned import learned_rows
from pipelines.data.snapshots.snapshot import Snapshot
from pipelines.explore import figures
from pipelines.explore.explanation import Explanation, shap_values
from pipelines.explore.frames import Day, LandedTables, as_day, framed, indexed
from pipelines.explore.looked_at import LookedAt
from pipelines.explore.standing import catalog, standing, versions_of
from pipelines.explore.tried import Compute, tried
from pipelines.foundation.ledger.score_store import ScoreStore
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.operations.plays.impact import measured
from pipelines.prediction.scoring import explain as explaining
from pipelines.prediction.training import backtest as backtests
from pipelines.prediction.training.champion import answering
from pipelines.prediction.training.splits import SnapshotSplit
from pipelines.prediction.training.task import PredictionTask, main_task

if TYPE_CHECKING:
    import shap


class OpenedWorkspace:
    """A workspace to explore: tables, training sets, scores, models and figures.

    Every frame is yours to change. Who objected, or was erased, is in none of them. What is not stored yet is computed.

    Examples
    --------
    >>> X, y, groups = ws.training_set(ws.days[-3:])
    >>> X.index.names == ["customer_id", "snapshot_on"] and len(X) == len(y) == len(groups)
    True
    >>> riskiest = ws.scores().index[0]
    >>> bool(ws.explain(riskiest).churn_probability == ws.scores()["churn_probability"].max())
    True
    >>> ws.model().predict_proba(ws.model_input()).shape[1]
    2
    >>> ws.backtest()["roc_auc"].xs("attrition", level="model").gt(0.5).tolist()
    [True, True]
    """

    def __init__(self, workspace: LookedAt, now: datetime) -> None:
        self._workspace, self._now = workspace, now

    def __repr__(self) -> str:
        return standing(self._workspace, self._task)

    @property
    def as_of(self) -> date:
        """The local day that is looked from."""
        return self._workspace.as_of

    @cached_property
    def tables(self) -> Mapping[str, pd.DataFrame]:
        """Landed rows by table, typed by their contracts (docs/tables.md); read when a table is asked for.

        Columns beside the contract's: `known_at` says from when on a row may be used (UTC), `source_row` where it stood
        in its file. Money is in the workspace's currency. Null: not told.
        """
        return LandedTables(self._workspace)

    @property
    def days(self) -> list[date]:
        """The snapshots to learn from, oldest first: those whose outcome was known at `as_of`."""
        return self._task.calendar.training_days(self.as_of)

    def indicators(self) -> pd.DataFrame:
        """The indicators of this workspace, one row per column of a snapshot.

        Columns: family, reason (its code), unit, direction (which values mean more risk), null (what an empty value
        means), en and fr (the reason in words). The index is the column's name.
        """
        return catalog(self._task.snapshots.definition)

    def snapshot(self, day: Day | None = None) -> pd.DataFrame:
        """Who was at risk on a day, with what was known of each before it.

        Parameters
        ----------
        day
            None: `as_of`, as scoring sees it.

        Returns
        -------
        pandas.DataFrame
            One row per customer, indexed by customer_id and snapshot_on; a column per indicator, null as `indicators`
            says. Where the data tell what followed, the last column does (`inactivity`, `churn`, ...: 0 or 1).
        """
        found = self._snapshot(day)
        frame, outcome = found.frame(), found.outcomes()
        if outcome is not None:
            frame = frame.merge(outcome[[ENTITY, self._task.kind]], on=ENTITY, how="left", validate="one_to_one")
        return indexed(frame, found.day)

    def training_set(self, days: Iterable[Day] | None = None) -> tuple[pd.DataFrame, pd.Series[Any], pd.Series[Any]]:
        """What `attrition train` learns from, all of it: rows, outcomes and the day of each row.

        Parameters
        ----------
        days
            Snapshots; None: `days`. For `cross_val_score` take those of the folds, `splits().days`.

        Returns
        -------
        X : pandas.DataFrame
            One row per customer and snapshot, indexed by both; the columns that the model reads.
        y : pandas.Series
            1 where the customer left within the horizon, 0 where not; whose outcome is not known is left out.
        groups : pandas.Series
            The snapshot of each row, for `splits`.

        Raises
        ------
        DataError
            Where no outcome of these days is known.
        """
        wanted = self.days if days is None else [as_day(each) for each in days]
        rows = learned_rows(self._task.snapshots, wanted)
        if rows is None:
            raise DataError(
                f"no outcome of {', '.join(map(str, wanted)) or 'any day'} is known; those that are stand in `days`"
            )
        table, label = framed(rows), self._task.question.outcome
        y = pd.Series(rows.outcomes.astype(np.int64), index=table.index, name=label)
        return table, y, pd.Series(table.index.get_level_values(SNAPSHOT), index=table.index, name=SNAPSHOT)

    def model_input(self, day: Day | None = None, version: str = "champion") -> pd.DataFrame:
        """Who was at risk on a day as `model` reads them: X of `training_set`, and the day's `level_log_odds`.

        Parameters
        ----------
        day, version
            None: `as_of`. Whose level: as of `model`.
        """
        return framed(self.model(version).fitted_.levelled(self._snapshot(day).matrix()))

    def splits(self) -> SnapshotSplit:
        """The folds of `attrition backtest` as a scikit-learn splitter: no fold learns from an outcome too early."""
        return SnapshotSplit(self._task.calendar)

    def classifier(self, **parameters: Any) -> ChurnClassifier:
        """A new model that fits as `attrition train` does. parameters: of `ChurnClassifier`."""
        plan = self._task.fitter.plan
        usual = {"random_state": plan.seed, "n_jobs": self._task.fitter.threads, "tuning_trials": plan.tuning_trials}
        return ChurnClassifier(**(usual | {"question": self._task.question} | parameters))

    def model(self, version: str = "champion") -> ChurnClassifier:
        """A trained model.

        Parameters
        ----------
        version
            "champion", "challenger" or a version that `models` lists.

        Raises
        ------
        TrainingError
            Where there is none of that name, or the champion answers another question than the settings ask.
        """
        if version == "champion":
            return ChurnClassifier.of(answering(self._task)[1])
        named = self._task.versions.aliased(version) if version == "challenger" else None
        return ChurnClassifier.of(self._task.versions.load(version if named is None else named.version))

    def models(self) -> pd.DataFrame:
        """Every trained model: trained_at (UTC), promoted, verdict (why), champion (whether it is), by version."""
        return versions_of(self._task)

    def scores(self, *, holdout: bool = False) -> pd.DataFrame:
        """The current scores, as they were handed over, most at risk first; indexed by customer_id.

        Parameters
        ----------
        holdout
            Whether to show those, too, who are held out from plays by chance. What plays achieve is measured by those
            whom nobody acts on: look at them, and act on nothing that you see.

        Raises
        ------
        DataError
            Where nobody was scored yet.
        """
        found = ScoreStore(self._workspace.store).current()
        if found is None:
            raise DataError(f"nobody was scored yet; run `attrition score --project {self._workspace.root}`")
        frame = self._workspace.permissions.permitted(found[1])
        if not holdout:
            frame = frame[~self._workspace.holdout.holds(frame[ENTITY])]
        return frame.sort_values(["churn_probability", ENTITY], ascending=[False, True]).set_index(ENTITY)

    def explain(self, customer: str, *, holdout: bool = False) -> Explanation:
        """One customer's prediction at `as_of`, taken apart. holdout: as of `scores`.

        Raises
        ------
        DataError
            Where the customer is not at risk at `as_of`, objected, or is held out.
        """
        quiet = RunContext(self._workspace, Console(quiet=True), self._now)
        return Explanation.of(explaining.explain(quiet, customer, held_out_too=holdout))

    def contributions(self, day: Day | None = None, *, at_most: int | None = None) -> shap.Explanation:
        """SHAP values of the champion, for SHAP's own plots.

        Parameters
        ----------
        day
            None: `as_of`.
        at_most
            So many customers, the same ones each time. None: all.

        Returns
        -------
        shap.Explanation
            values: (n, m) log-odds before calibration; base_values: the average; they add up to those of a prediction.
            What the start model contributes stands in the column `start_log_odds`.
        """
        return shap_values(answering(self._task)[1], self._snapshot(day), at_most=at_most)

    def backtest(self) -> pd.DataFrame:
        """How the model did at past days, trained on what had matured by then, beside simple baselines.

        Returns
        -------
        pandas.DataFrame
            One row per fold and model, indexed by both; columns as `backtest --json` names them (n, roc_auc, ...).
        """
        return figures.of_backtest(backtests.backtest(self._task))

    def impact(self) -> pd.DataFrame:
        """What the plays changed, against those whom chance held out: one row per play, and one of all that are judged.

        Returns
        -------
        pandas.DataFrame
            verdict; customers of each group, judged and left; kept (customers), money and net of cost (in the
            workspace's currency) with 95% intervals; p_value adjusted for the number of plays; detectable: the least
            number of customers kept that would show. Null: not known yet.
        """
        return figures.of_impact(measured(self._task, self._workspace.plays, self._workspace.settings.currency))

    def kpis(self, by: str | None = None) -> pd.DataFrame:
        """Customers and revenue kept and lost, one row per month and segment (docs/figures.md says what each means).

        Parameters
        ----------
        by
            "plan", "country", "channel", "value_tier" or "tenure"; None: everybody together.
        """
        return figures.of_kpis(kpi_figures(Ground(self._workspace, by))["months"])

    def try_indicator(self, compute: Compute, days: Day | Iterable[Day] | None = None) -> pd.DataFrame:
        """An indicator of one's own, computed as those of the catalog are, on what was known at each day.

        Parameters
        ----------
        compute
            As in features/: (the as-of view, the cohort, the lookbacks) to a table with customer_id, at most one row
            per customer, and a column per indicator.
        days
            One day or several; None: `as_of`.

        Returns
        -------
        pandas.DataFrame
            One row per customer at risk and snapshot, indexed as `training_set` is: join it to X.

        Raises
        ------
        DataError
            Where the table is not as said.
        """
        wanted = [self.as_of] if days is None else [days] if isinstance(days, date | str) else days
        definition, tables, engine = self._task.snapshots.definition, self._workspace.tables, self._workspace.engine
        return pd.concat([tried(compute, definition, tables, engine, as_day(day)) for day in wanted])

    @cached_property
    def _task(self) -> PredictionTask:
        return main_task(self._workspace)

    def _snapshot(self, day: Day | None) -> Snapshot:
        return self._task.snapshots.at(self.as_of if day is None else as_day(day))
