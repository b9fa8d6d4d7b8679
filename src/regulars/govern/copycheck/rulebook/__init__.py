"""The rules of copy: data in TOML files, read, checked and dated here."""
