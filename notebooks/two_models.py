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
# # Two models on the same folds
#
# Any classifier of scikit-learn's kind can stand beside ours: the folds, the rows and the measure are the same.

# %%
import os

import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.model_selection import cross_validate

from pipelines.explore import open_workspace

ws = open_workspace(os.environ.get("ATTRITION_WORKSPACE", "../demo"))  # the one line to change
days = ws.splits().days
X, y, groups = ws.training_set(days)
plain = X.select_dtypes("number").drop(columns="start_log_odds", errors="ignore")
plain = plain.loc[:, plain.groupby(groups).nunique().min() > 1]  # of one value it would know no bins
print(f"{len(X):,} rows of {len(days)} days, {X.shape[1]} columns")

# %%
measures = {"log_loss": "neg_log_loss", "roc_auc": "roc_auc"}
tested = {
    "attrition": cross_validate(ws.classifier(), X, y, groups=groups, cv=ws.splits(), scoring=measures),
    "shallower": cross_validate(ws.classifier(num_leaves=4), X, y, groups=groups, cv=ws.splits(), scoring=measures),
    "scikit-learn's boosting": cross_validate(
        HistGradientBoostingClassifier(random_state=0), plain, y, groups=groups, cv=ws.splits(), scoring=measures
    ),
}
folds = [fold.test for fold in ws.splits().folds()]
pd.DataFrame({name: -found["test_log_loss"] for name, found in tested.items()}, index=folds).round(4)

# %%
pd.DataFrame({name: found["test_roc_auc"] for name, found in tested.items()}, index=folds).round(4)

# %% [markdown]
# The first column is `attrition backtest`'s own.

# %%
ws.backtest()["log_loss"].xs("attrition", level="model").round(4)
