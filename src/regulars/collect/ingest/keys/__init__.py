"""Write keys: which source may send events, with what scopes."""
