"""API keys: how another system comes in, with a role and a name of its own."""
