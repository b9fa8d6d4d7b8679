"""What online decisions rest on, read from the tables of the newest turn."""
