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
# # Outcomes and money
#
# Who was kept and lost, month by month, and where the money is that may go.

# %%
import os

import matplotlib.pyplot as plt

from pipelines.explore import open_workspace

ws = open_workspace(os.environ.get("ATTRITION_WORKSPACE", "../demo"))  # the one line to change
months = ws.kpis()
months.iloc[-6:].T

# %% [markdown]
# ## Kept and lost
# In percent of the customers at a month's start; docs/figures.md says who counts. Provisional months may still change.

# %%
kept = months.reset_index("segment", drop=True)
kept[["retention_rate", "attrition_rate"]].plot(marker="o", figsize=(9, 3.5), ylabel="% of customers", xlabel="")

# %% [markdown]
# ## Where the money is
# Value at risk: the probability to leave times what the customer would have brought within the horizon. By priority,
# the first customers hold most of it: whoever can call a hundred reads off what these calls are about.

# %%
scores = ws.scores().sort_values("priority")
held = scores["value_at_risk"].cumsum() / scores["value_at_risk"].sum()
figure, place = plt.subplots(figsize=(8, 3.5))
place.plot(range(1, len(held) + 1), held)
place.set(xlabel="customers, by priority", ylabel="share of all value at risk", ylim=(0, 1))

# %%
scores.groupby("churn_risk_band")["value_at_risk"].agg(["size", "sum"]).rename(columns={"size": "customers"}).round(2)

# %%
scores[["churn_probability", "value_at_risk", "currency", "reason_1"]].head(10)
