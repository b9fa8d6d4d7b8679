"""Surveys: one question by a signed link, its answer to the profile, and a hand when it is bad."""
