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
# # What plays changed
#
# Whoever would be recommended a play is held out by chance now and then. Who left of those, and who left of the others:
# the difference is what recommending the play changed, and nothing else is.

# %%
import os

import matplotlib.pyplot as plt

from pipelines.explore import open_workspace

ws = open_workspace(os.environ.get("ATTRITION_WORKSPACE", "../demo"))  # the one line to change
impact = ws.impact()
impact

# %% [markdown]
# ## Who was recommended what
# `unknown` are those whose outcome is not known yet. A play is judged once the outcomes of half are, and somebody was
# held out: `too_early` and `no_holdout` are no failures of the play. Nobody was recommended anything where the frame is
# empty: `attrition run` with a plays.toml does.

# %%
impact.reindex(columns=["treatment", "holdout", "unknown", "verdict"])

# %% [markdown]
# ## Who left of each group
# In percent of those judged. More who left among the held out speak for the play; whether it is more than chance, the
# interval below says.

# %%
judged = impact[impact["left_holdout"].notna()] if len(impact) else impact
groups = ("treatment", "holdout")
if len(judged):
    left = judged.assign(**{group: 100 * judged[f"left_{group}"] / judged[f"judged_{group}"] for group in groups})
    left[[*groups]].plot.barh(figsize=(8, 1 + len(left)), xlabel="% who left", ylabel="")
    plt.show()
else:
    print("no play can be judged yet")

# %% [markdown]
# ## Customers kept
# With 95% intervals: one that reaches over 0 may be chance. `detectable` is how many customers would have to be kept
# for the evidence to show it: where that is more than anybody hopes for, wait, or hold out more.

# %%
if len(judged):
    figure, place = plt.subplots(figsize=(8, 1 + len(judged)))
    beyond = [judged["kept"] - judged["kept_low"], judged["kept_high"] - judged["kept"]]
    place.errorbar(judged["kept"], judged.index, xerr=beyond, fmt="o", capsize=4)
    place.axvline(0, color="grey")
    place.set(xlabel="customers kept")
    plt.show()

# %%
judged.reindex(columns=["kept", "kept_low", "kept_high", "detectable", "money", "net", "p_value"]).round(2)
