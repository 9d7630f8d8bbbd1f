"""What is looked at before anything is believed: settings, tables, indicators that see too much."""
