"""Audiences: customers found by rules written as data, counted live, kept, followed over time."""
