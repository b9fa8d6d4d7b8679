"""Which ids are one customer now who were several: what each had stays his, and counts for all."""
