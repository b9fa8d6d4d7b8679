"""Who comes into a journey, and what happens to those inside."""
