"""Entries that nobody's event begins: dates of customers, schedules, audiences."""
