"""Lists of words: what customers said elsewhere, brought in as a file."""
