"""The stages of a workspace as Dagster assets: when they run, what follows what, and what must hold in between.

Needs the extra `schedule`. Nothing outside this package imports Dagster.
"""
