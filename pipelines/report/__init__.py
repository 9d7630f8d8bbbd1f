"""The report: one page, in two languages."""
