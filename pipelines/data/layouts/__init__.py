"""Workspaces made from exports: of systems whose layout is known, a folder each of settings and queries, or of any."""
