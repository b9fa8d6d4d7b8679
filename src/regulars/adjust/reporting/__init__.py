"""The report of a week or a month: how the shop did, what was caused, learned, and comes next."""
