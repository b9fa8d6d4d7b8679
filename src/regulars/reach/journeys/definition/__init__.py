"""What a journey is: read from TOML or JSON, checked, kept as frozen records."""
