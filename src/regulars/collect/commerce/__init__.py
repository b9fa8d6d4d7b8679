"""Retail facts from events: orders, lines, returns and visits, exact to the cent."""
