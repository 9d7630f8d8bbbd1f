"""Backtest, fit, champion and challenger, model card."""
