"""On-site and in-app decisions: contacts that wait until a page asks for them."""
