"""Journeys: the list, one of them as a canvas, and how it is changed, tried, published."""
