"""What every stage stands on: words, settings, files, the ledger, names of customers, the workspace."""
