"""The ledger of events: totals per source that add up, and what came of one request."""
