"""Earning: orders become points once, and follow what becomes of the orders."""
