"""BottleCRM, by its JSON interface."""
