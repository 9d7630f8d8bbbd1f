"""What a company says in attrition.toml and plays.toml. A section, a file."""
