"""Pages about the money: where it goes, and what each channel can do for it."""
