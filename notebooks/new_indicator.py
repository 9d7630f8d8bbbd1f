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
# # A new indicator, from idea to gain
#
# Is who buys on weekends more likely to stay? The idea is written once, as the catalog's indicators are: it sees what
# was known on the day of a snapshot, and nothing else.

# %%
import os

import pandas as pd
from sklearn.model_selection import cross_val_score

from pipelines.explore import open_workspace, outcome_rates

ws = open_workspace(os.environ.get("ATTRITION_WORKSPACE", "../demo"))  # the one line to change


# %%
def weekend(view, cohort, lookbacks):
    orders = view["orders"]
    on_weekend = orders.ordered_on.day_of_week.index() >= 5
    return orders.group_by("customer_id").agg(weekend_share=on_weekend.mean())


# %% [markdown]
# ## Does it go together with what followed?

# %%
day = ws.days[-1]
snapshot = ws.try_indicator(weekend, day).join(ws.snapshot(day).iloc[:, -1])
outcome_rates(snapshot, "weekend_share", bins=5).round(3)

# %% [markdown]
# ## Does the model gain by it?
# On the backtest's folds, with and without. What differs by less than from fold to fold is no gain.

# %%
days = ws.splits().days
X, y, groups = ws.training_set(days)
wider = X.join(ws.try_indicator(weekend, days))
loss = {
    name: -cross_val_score(ws.classifier(), rows, y, groups=groups, cv=ws.splits(), scoring="neg_log_loss")
    for name, rows in {"without": X, "with": wider}.items()
}
pd.DataFrame(loss, index=[fold.test for fold in ws.splits().folds()]).assign(
    gain=lambda each: each["without"] - each["with"]
)

# %% [markdown]
# What gains goes into a file of the workspace's own and the settings' `indicators`, and from then on into every
# snapshot, reason and report.
