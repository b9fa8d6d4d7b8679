"""Check-ins and tasks: small things done for points, each counted once."""
