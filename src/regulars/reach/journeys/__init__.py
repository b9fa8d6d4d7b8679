"""Journeys (顾客旅程): a graph of steps per customer, as data, walked in sets."""
