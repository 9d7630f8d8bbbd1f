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
# # Indicators against churn
#
# Before any model: how often customers left, by the value of an indicator; how it moved before they did; and which
# indicators say the same. docs/indicators.md says what each is.

# %%
import os

import matplotlib.pyplot as plt

from pipelines.explore import open_workspace, outcome_rates

ws = open_workspace(os.environ.get("ATTRITION_WORKSPACE", "../demo"))  # the one line to change
snapshot = ws.snapshot(ws.days[-1])
outcome = snapshot.columns[-1]
print(f"{len(snapshot):,} customers at {ws.days[-1]}, of whom {snapshot[outcome].mean():.0%}: {outcome}")

# %% [markdown]
# ## Which go together with it
# Spearman's rank correlation of each indicator with the outcome. It is no cause, and no forecast: one snapshot, one
# indicator at a time.

# %%
numbers = snapshot.select_dtypes("number").drop(columns=outcome)
numbers = numbers.loc[:, numbers.nunique() > 1]
strength = numbers.corrwith(snapshot[outcome], method="spearman").rename("rank correlation")
strongest = strength.abs().sort_values(ascending=False).index
strength[strongest].head(12).to_frame().join(ws.indicators()[["family", "direction", "en"]])

# %% [markdown]
# ## How often, by its value
# Ranges of about equally many customers, with 95 % intervals: where they are wide, little is known.

# %%
figure, places = plt.subplots(1, 3, figsize=(13, 3.6), sharey=True)
for place, column in zip(places, strongest[:3], strict=False):
    rates = outcome_rates(snapshot, column)
    sides = [rates["rate"] - rates["low"], rates["high"] - rates["rate"]]
    place.errorbar(rates.index, rates["rate"], yerr=sides, fmt="o", capsize=3)
    place.set(title=column, ylim=(0, 1))
    place.tick_params(axis="x", rotation=60)
places[0].set_ylabel(outcome)
figure.tight_layout()

# %%
outcome_rates(snapshot, strongest[0]).round(3)

# %% [markdown]
# ## Before they left
# The median of an indicator at earlier snapshots, of those who then left and of those who stayed.

# %%
days = ws.days[-8:]
X, y, groups = ws.training_set(days)
column = strongest[0]
after = X.join(snapshot[outcome].droplevel("snapshot_on").rename("left"), on="customer_id").dropna(subset=["left"])
path = after.groupby([after.index.get_level_values("snapshot_on"), "left"])[column].median().unstack()
path.columns = ["stayed" if left == 0 else "left" for left in path.columns]
path.plot(marker="o", figsize=(8, 3.5), ylabel=f"median {column}", xlabel="")

# %% [markdown]
# ## Which say the same
# Rank correlations among the strongest; a dark square off the diagonal is one thing said twice.

# %%
top = list(strongest[:15])
alike = numbers[top].corr(method="spearman")
figure, place = plt.subplots(figsize=(7.5, 6.5))
shown = place.imshow(alike, vmin=-1, vmax=1, cmap="RdBu_r")
place.set_xticks(range(len(top)), top, rotation=90)
place.set_yticks(range(len(top)), top)
figure.colorbar(shown, label="rank correlation")
figure.tight_layout()
