"""The data scientists' door: a workspace as frames and a scikit-learn classifier, to look at, never to change."""

from pipelines.explore.door import open_workspace
from pipelines.explore.opened import OpenedWorkspace
from pipelines.explore.rates import outcome_rates

__all__ = ["OpenedWorkspace", "open_workspace", "outcome_rates"]
