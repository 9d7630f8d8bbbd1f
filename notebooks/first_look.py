# ---
# jupyter:
#   jupytext:
#     formats: ipynb,py:percent
#     text_representation:
#       extension: .py
#       format_name: percent
#       format_version: '1.3'
#       jupytext_version: 1.19.6
#   kernelspec:
#     display_name: Python 3 (ipykernel)
#     language: python
#     name: python3
# ---

# %% [markdown]
# # A first look at a workspace
#
# What `make demo` left in the folder `demo/`: its tables, one training set, the champion's figures, and one customer's
# reasons. Set the environment variable `ATTRITION_WORKSPACE` to look at another workspace. This page reads only; a
# workspace can be looked at while a job writes to it.

# %%
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import IPython.display as show
import pandas as pd

from pipelines.foundation.workspace.workspace import open_workspace

workspace = open_workspace(Path(os.environ.get("ATTRITION_WORKSPACE", "../demo")), now=datetime.now(UTC))
print("looking from", workspace.as_of, "- orders run from {} to {}".format(*workspace.data_days))

# %% [markdown]
# ## Tables
# Landed rows, typed by their contracts. `known_at` says from when on each row may be used.

# %%
for name, table in workspace.tables.items():
    print(name, "-", workspace.engine.to_pyarrow(table.count()).as_py(), "rows")
    show.display(workspace.engine.to_pyarrow(table.limit(5)).to_pandas())

# %% [markdown]
# ## One snapshot of the training set
# One row per customer at risk on that day, with everything that was known before it, and what happened after it. It
# is the newest day whose outcome had ended by the day that the workspace looks from.

# %%
from pipelines.prediction.training.task import main_task

task = main_task(workspace)
snapshot_on = workspace.calendar.training_days(workspace.as_of)[-1]
training_set = task.snapshots.at(snapshot_on).labelled_frame()
print(snapshot_on, training_set.shape)
training_set.head()

# %%
training_set.describe().T[["count", "mean", "min", "50%", "max"]].round(2)

# %% [markdown]
# ## The champion
# Figures on customers and outcomes that it had not seen, beside simple baselines.

# %%
summary = json.loads((workspace.root / "summary.json").read_text(encoding="utf-8"))
figures = pd.DataFrame({"attrition": summary["outcomes"].get("churn", {}), **summary["baselines"]}).T
print("champion", summary["champion"]["version"], "- measured at", summary["evaluated_on"])
figures.round(4)

# %% [markdown]
# ## What drives the predictions
# SHAP values of up to 2,000 customers, in log-odds: to the right raises the risk. Red stands for a high value of the
# indicator. What the buying rhythm contributes as the starting point of the trees is not in this picture; it is in the
# reasons below.

# %%
import numpy as np
import shap

from models import explanation
from pipelines.prediction.scoring.score import plan_of
from pipelines.prediction.training.champion import answering

_, fitted = answering(task)
rows = task.snapshots.at(workspace.as_of).matrix()
some = np.arange(len(rows)) < 2_000
sample = rows.only(some)
words = plan_of(workspace.settings).wording(task.snapshots.at(workspace.as_of))
found = explanation.contributions(fitted, sample, words.codes())
shap.summary_plot(
    found.columns, sample.values, feature_names=list(rows.columns), max_display=15, rng=np.random.default_rng(0)
)

# %% [markdown]
# ## One customer
# Whoever is most at risk: the average, and each contribution to the log-odds before calibration. They add up.

# %%
from pipelines.foundation.ledger.score_store import ScoreStore

run, scores = ScoreStore(workspace.store).current()
riskiest = scores.sort_values(["churn_probability", "customer_id"], ascending=[False, True]).iloc[0]
riskiest[["customer_id", "churn_probability", "churn_risk_band", "reason_1", "reason_2", "reason_3"]]

# %%
from pipelines.foundation.workspace.console import Console
from pipelines.foundation.workspace.run_context import RunContext
from pipelines.prediction.scoring.explain import explain

document = explain(RunContext(workspace, Console(quiet=True), datetime.now(UTC)), riskiest["customer_id"])
print("average", round(document["average_log_odds"], 3))
pd.DataFrame(document["contributions"]).round(3)
