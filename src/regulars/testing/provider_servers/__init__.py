"""Servers that play providers: real HTTP and SMTP, signatures checked, troubles on demand.

Each keeps a record of what customers would have received. Point a channel at one by `base_url`
or `smtp_host` and no client notices the difference.
"""
