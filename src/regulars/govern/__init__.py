"""Govern: the gates every station asks: consent, policy, access, audit."""
