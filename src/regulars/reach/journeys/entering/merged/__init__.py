"""Customers who turned out to be one, inside journeys under two ids."""
