"""E-mail: built by hand, signed, handed over on pooled connections; what came back is read."""
