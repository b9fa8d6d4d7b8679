"""Pins and reviews of the budget: what people decided, and what each review changed and why."""
