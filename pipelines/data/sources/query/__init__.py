"""A source that is a query: one SELECT over files of the workspace, run where nothing else can be reached."""
