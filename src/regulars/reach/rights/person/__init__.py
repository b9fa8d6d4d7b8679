"""Who a request is about: every id, identifier and token of one person."""
