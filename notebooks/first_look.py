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
# reasons. Set the environment variable `ATTRITION_WORKSPACE` to look at another workspace. Nothing is written to it; a
# workspace can be looked at while a job runs. docs/explore.md lists what else there is.

# %%
import os

import IPython.display as show

from pipelines.explore import open_workspace

ws = open_workspace(os.environ.get("ATTRITION_WORKSPACE", "../demo"))
ws

# %% [markdown]
# ## Tables
# Landed rows, typed by their contracts (docs/tables.md). `known_at` says from when on each row may be used.

# %%
for name, table in ws.tables.items():
    print(name, "-", len(table), "rows")
    show.display(table.head())

# %% [markdown]
# ## One snapshot of the training set
# One row per customer at risk on that day, with everything that was known before it, and what happened after it. It
# is the newest day whose outcome is known.

# %%
snapshot = ws.snapshot(ws.days[-1])
print(ws.days[-1], snapshot.shape)
snapshot.head()

# %%
snapshot.describe().T[["count", "mean", "min", "50%", "max"]].round(2)

# %% [markdown]
# ## The champion
# Figures on customers and outcomes that it had not seen, beside simple baselines.

# %%
ws.backtest()[["n", "positives", "roc_auc", "pr_auc", "log_loss", "brier"]].round(4)

# %%
ws.models()

# %% [markdown]
# ## What drives the predictions
# SHAP values of up to 2,000 customers, in log-odds: to the right raises the risk. Red stands for a high value of the
# indicator. `start_log_odds` is the buying rhythm from which the trees start.

# %%
import shap

shap.plots.beeswarm(ws.contributions(at_most=2_000), max_display=15)

# %% [markdown]
# ## One customer
# Whoever is most at risk: the average, and each contribution to the log-odds before calibration. They add up.

# %%
riskiest = ws.scores().iloc[0]
riskiest[["churn_probability", "churn_risk_band", "reason_1", "reason_2", "reason_3"]]

# %%
found = ws.explain(riskiest.name)
print(found)
print("average", round(found.average_log_odds, 3))
found.contributions.round(3)
