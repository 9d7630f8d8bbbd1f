"""From a company's exports to typed rows: landed as Parquet, or rejected with a reason."""
