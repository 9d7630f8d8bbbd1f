"""Any system that takes JSON over HTTPS, as the settings describe its calls."""
