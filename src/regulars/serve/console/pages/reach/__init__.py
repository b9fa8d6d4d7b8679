"""Pages about reaching people: campaigns, approvals, delivery, rules of contact, copy."""
