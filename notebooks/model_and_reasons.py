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
# # The model, its backtest and its reasons
#
# How the champion was judged, whether its probabilities hold, and what it goes by, by scikit-learn's and SHAP's own
# tools.

# %%
import os

import pandas as pd
import shap
from sklearn.calibration import CalibrationDisplay
from sklearn.inspection import permutation_importance

from pipelines.explore import open_workspace

ws = open_workspace(os.environ.get("ATTRITION_WORKSPACE", "../demo"))  # the one line to change
ws.models()

# %% [markdown]
# ## Tested on the past
# Each fold learned only from what was known when its test day began.

# %%
folds = ws.backtest()
folds[["n", "positives", "roc_auc", "log_loss", "brier", "top_decile_lift"]].round(4)

# %%
folds["log_loss"].unstack().plot(marker="o", figsize=(8, 3.5), ylabel="log loss (lower is better)", xlabel="")

# %% [markdown]
# ## Do the probabilities hold?
# A new model, fitted as `attrition train` does on what the newest fold may know, on the test day of that fold.

# %%
fold = ws.splits().folds()[-1]
X, y, groups = ws.training_set(fold.train)
tested, known, _ = ws.training_set([fold.test])
model = ws.classifier().fit(X, y)
CalibrationDisplay.from_estimator(model, tested, known, n_bins=8, strategy="quantile")

# %% [markdown]
# ## What it would miss
# How much the log loss on that day grows when one column is shuffled.

# %%
shuffled = permutation_importance(model, tested, known, scoring="neg_log_loss", n_repeats=3, random_state=0)
importance = pd.Series(shuffled.importances_mean, tested.columns, name="log loss without it, more")
importance.sort_values(ascending=False).head(12).to_frame()

# %% [markdown]
# ## What drives the champion's predictions today
# SHAP values in log-odds, before calibration; `start_log_odds` is the buying rhythm from which the trees start.

# %%
values = ws.contributions(at_most=2_000)
shap.plots.beeswarm(values, max_display=12)

# %%
strongest = values.abs.mean(0).values.argsort()[::-1]
name = next(values.feature_names[place] for place in strongest if values.feature_names[place] != "start_log_odds")
shap.plots.scatter(values[:, name], color=values)

# %% [markdown]
# ## One customer
# Whoever comes first by priority: what could be saved, times how likely it would be lost.

# %%
first = ws.scores().sort_values("priority").index[0]
explanation = ws.explain(first)
print(explanation)
explanation.contributions.round(3)

# %%
place = list(ws.model_input().index.get_level_values("customer_id")).index(first)
shap.plots.waterfall(ws.contributions()[place], max_display=10)
