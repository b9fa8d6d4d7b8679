"""Review: what an approver is shown, and a campaign's way through approval."""
