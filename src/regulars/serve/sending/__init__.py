"""Sending as the faces do it: one pass, a ticker beside the server, triggers many at once."""
